# Heard in a container: not root, root file system read-only, studies in the volume /data.
#   docker build -t heard .
#   docker run --rm --read-only --tmpfs /tmp -v heard-data:/data -p 127.0.0.1:8000:8000 heard
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/heard
WORKDIR /src
COPY requirements.lock pyproject.toml README.md ./
# The build of PyTorch for ordinary processors; elsewhere it would bring several gigabytes for graphics cards.
RUN /opt/heard/bin/pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
COPY nlp nlp
COPY service service
COPY heard_client heard_client
COPY codebooks codebooks
COPY corpora_sample corpora_sample
RUN /opt/heard/bin/pip install --require-hashes --no-deps -r requirements.lock && /opt/heard/bin/pip install --no-deps -e .

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 heard && mkdir /data && chown heard /data
COPY --from=build /opt/heard /opt/heard
COPY --from=build /src /src
USER heard
WORKDIR /data
ENV HOME=/data HEARD_KEY_FOLDER=/data/keys HEARD_PUBLISHED_ON_LOOPBACK=1 HEARD_HOST=0.0.0.0 PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=240s \
  CMD /opt/heard/bin/python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=4)"
CMD ["/opt/heard/bin/heard", "demo", "--folder", "/data/demo", "--port", "8000"]
