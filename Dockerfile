# docker build -t sightline .                          searches on the CPU
# docker build -t sightline:gpu --build-arg ENGINE=gpu .    with FAISS and torch for CUDA
FROM python:3.12-slim

# cpu or gpu: the extra of pyproject.toml that brings FAISS.
ARG ENGINE=cpu
# An index for pip beside PyPI. PyPI's torch for x86-64 Linux brings CUDA with it, several GB that a CPU does not need;
# PyTorch publishes an index of CPU builds, and pip prefers what it finds there (version 2.13.0+cpu).
ARG TORCH_INDEX=""

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_EXTRA_INDEX_URL=${TORCH_INDEX} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

WORKDIR /src
# The heavy wheels lie in a layer of their own that only a changed pin makes anew.
COPY constraints.txt ./
RUN pip install -c constraints.txt torch torchvision "faiss-${ENGINE}"
COPY pyproject.toml README.md LICENSE ./
COPY indexer indexer
COPY search search
COPY web web
RUN pip install -c constraints.txt ".[${ENGINE}]"

# Not root; the folders are made here so that fresh volumes belong to the right user.
RUN useradd --uid 10001 --create-home sightline \
    && mkdir /library /models /photos \
    && chown sightline /library /models
USER sightline
WORKDIR /home/sightline

# Inside a container the service has to listen on every address; which of them the host can reach is said where the port
# is published (docker-compose.yml: 127.0.0.1 alone).
ENV SIGHTLINE_LIBRARY=/library \
    SIGHTLINE_HOST=0.0.0.0 \
    SIGHTLINE_PORT=8000 \
    HF_HOME=/models
VOLUME ["/library", "/models"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["sightline"]
CMD ["serve"]
