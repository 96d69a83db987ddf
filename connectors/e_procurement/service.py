"""The SOAP service of e-Procurement as sink and source call it."""

from __future__ import annotations

from pathlib import Path

from connectors.kit.http import HttpClient
from connectors.kit.soap import SoapClient

from .config import EProcurementConfig

WSDL = Path(__file__).with_name("spse.wsdl")
BINDING = "{urn:surabaya:spse:1}SpseBinding"


def service(config: EProcurementConfig, http: HttpClient, threads: int) -> SoapClient:
    """A client of the bundled WSDL at the configured address; the address inside the WSDL is never used."""
    return SoapClient(
        WSDL, BINDING, config.url, http, username=config.username, password=config.password, threads=threads
    )
