"""SOAP 1.1 envelopes as the simulated SPSE reads and writes them. Imports nothing of the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SPSE = "urn:surabaya:spse:1"
WSDL = Path(__file__).with_name("spse.wsdl")


class SoapFault(Exception):
    """``code`` is one of SOAP 1.1: Client, Server, VersionMismatch, MustUnderstand."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def schema() -> etree.XMLSchema:
    """The schema inside the WSDL."""
    found = etree.parse(str(WSDL), _parser()).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    if found is None:
        raise ValueError("the WSDL has no schema")
    # Written out and read again, or the prefixes that the WSDL declares above it are lost.
    return etree.XMLSchema(etree.fromstring(etree.tostring(found), _parser()))


def request_in(body: bytes, against: etree.XMLSchema) -> etree._Element:
    """The one element in the envelope's Body, valid by the schema. Raises SoapFault."""
    try:
        body.decode("utf-8")
        root = etree.fromstring(body, _parser())
    except (UnicodeDecodeError, etree.XMLSyntaxError, ValueError):
        raise SoapFault("Client", "bukan XML yang sah") from None
    if root.getroottree().docinfo.doctype:
        raise SoapFault("Client", "DOCTYPE tidak diizinkan dalam SOAP")
    if root.tag != f"{{{SOAP}}}Envelope":
        raise SoapFault("VersionMismatch", "hanya SOAP 1.1")
    for header in root.iterfind(f"{{{SOAP}}}Header/*"):
        if header.get(f"{{{SOAP}}}mustUnderstand") == "1":
            raise SoapFault("MustUnderstand", "header tidak dikenal")
    bodies = root.findall(f"{{{SOAP}}}Body")
    children = [child for child in bodies[0] if isinstance(child.tag, str)] if len(bodies) == 1 else []
    if len(children) != 1:
        raise SoapFault("Client", "satu Body dengan satu elemen")
    if not against.validate(etree.ElementTree(children[0])):
        last = against.error_log.last_error
        raise SoapFault("Client", f"tidak sesuai skema: {last.message if last else ''}")
    return children[0]


def values(element: etree._Element) -> dict[str, Any]:
    """Child elements by local name: text, or a dict where there are further ones."""
    return {
        etree.QName(child).localname: values(child) if len(child) else (child.text or "")
        for child in element
        if isinstance(child.tag, str)
    }


def envelope(name: str, content: dict[str, Any]) -> bytes:
    root, body = _empty()
    _fill(etree.SubElement(body, f"{{{SPSE}}}{name}", nsmap={None: SPSE}), content)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def fault(code: str, text: str) -> bytes:
    root, body = _empty()
    element = etree.SubElement(body, f"{{{SOAP}}}Fault")
    etree.SubElement(element, "faultcode").text = f"soap:{code}"
    etree.SubElement(element, "faultstring").text = text
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _empty() -> tuple[etree._Element, etree._Element]:
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    return root, etree.SubElement(root, f"{{{SOAP}}}Body")


def _fill(element: etree._Element, content: dict[str, Any]) -> None:
    for name, value in content.items():
        for item in value if isinstance(value, list) else [value]:
            if item is None:
                continue
            child = etree.SubElement(element, f"{{{SPSE}}}{name}")
            if isinstance(item, dict):
                _fill(child, item)
            else:
                child.text = str(item).lower() if isinstance(item, bool) else str(item)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
