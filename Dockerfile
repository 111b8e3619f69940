# Isthmus as a container: docs/how-to/run-in-a-container.md. The same file serves x86-64 and arm64.
ARG PYTHON=3.13
ARG RUST=1.85

FROM rust:${RUST}-slim AS rust

FROM python:${PYTHON}-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# Rust links through the C compiler, and a dependency (blake3) compiles C with it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY --from=rust /usr/local/cargo /usr/local/cargo
COPY --from=rust /usr/local/rustup /usr/local/rustup
ENV CARGO_HOME=/usr/local/cargo RUSTUP_HOME=/usr/local/rustup PATH=/usr/local/cargo/bin:${PATH}
RUN pip install 'maturin>=1.8,<2'
WORKDIR /build
COPY Cargo.toml Cargo.lock pyproject.toml README.md LICENSE ./
COPY crates crates
COPY src src
# Made here, so a tag for this system is enough: the next stage has the same one.
RUN maturin build --release --locked --compatibility linux --out /wheel
# Without the extra `embedded`: a container copies to a server.
RUN python -m venv --without-pip /opt/isthmus \
    && pip --python /opt/isthmus/bin/python install --only-binary :all: /wheel/*.whl

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="isthmus" \
      org.opencontainers.image.description="Carries a MongoDB database to PostgreSQL and proves that nothing was lost" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.documentation="docs/how-to/run-in-a-container.md"
# A number that no base image uses. PostgreSQL's client library asks for the user's name.
RUN groupadd --gid 10001 isthmus \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin isthmus
COPY --from=build /opt/isthmus /opt/isthmus
# Nothing is written at run: no compiled modules, no home.
ENV PATH=/opt/isthmus/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/nonexistent \
    ISTHMUS_MAPPING=/isthmus/mapping.yaml
WORKDIR /isthmus
USER 10001:10001
# The first SIGTERM finishes the batch in hand: isthmus is process 1 and hears it only in this form, without a shell.
STOPSIGNAL SIGTERM
ENTRYPOINT ["isthmus"]
CMD ["--help"]
