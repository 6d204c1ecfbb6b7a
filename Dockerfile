# The hub in one process. Data, when it is SQLite, is in the volume /data.

FROM python:3.11-slim AS packages
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /opt/busbar \
    && /opt/busbar/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt \
    && printf '#!/opt/busbar/bin/python\nimport sys\n\nfrom hub.cli import main\n\nsys.exit(main())\n' > /opt/busbar/bin/busbar \
    && chmod 755 /opt/busbar/bin/busbar

FROM python:3.11-slim
RUN groupadd --gid 10001 busbar \
    && useradd --uid 10001 --gid busbar --no-create-home --home-dir /data --shell /usr/sbin/nologin busbar \
    && install --directory --owner=busbar --group=busbar --mode=750 /data
COPY --from=packages /opt/busbar /opt/busbar
COPY . /app
ENV PATH=/opt/busbar/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BUSBAR_DATABASE_URL=sqlite:////data/busbar.db
WORKDIR /data
USER 10001:10001
VOLUME /data
EXPOSE 8000 9000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
ENTRYPOINT ["busbar"]
CMD ["serve", "--host", "0.0.0.0"]
