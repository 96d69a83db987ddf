# The hub: alone as it stands, or as the processes of docker-compose.yml.

FROM python:3.11-slim AS build
WORKDIR /build
# Every wheel is checked against its hash here; the second stage installs from these files only.
COPY requirements.lock ./
RUN pip download --quiet --disable-pip-version-check --only-binary :all: --no-deps --require-hashes -r requirements.lock -d /wheels
COPY pyproject.toml README.md LICENSE ./
COPY bus bus
COPY connectors connectors
COPY mappings mappings
COPY monitoring monitoring
COPY proof proof
RUN pip install --quiet --no-index --find-links /wheels hatchling \
 && pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.11-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --quiet --no-cache-dir --no-index --find-links /wheels arus-hub \
 && useradd --system --create-home --home-dir /var/lib/arus --uid 10001 arus
USER arus
WORKDIR /var/lib/arus
ENV ARUS_HOME=/var/lib/arus/home ARUS_HOST=0.0.0.0 ARUS_PORT=8080 PYTHONUNBUFFERED=1
RUN mkdir -p "$ARUS_HOME" /var/lib/arus/drop
VOLUME /var/lib/arus/home
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
CMD ["arus", "serve"]
