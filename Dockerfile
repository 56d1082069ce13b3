# syntax=docker/dockerfile:1
# The service for a PostgreSQL with the extension PGMQ, such as Supabase's and that of docker-compose.yml. It is
# built without the features that install PGMQ's own SQL and run the demo, which have a quarter of the crates.

FROM rust:1.93.0-slim-trixie AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
# Cargo.toml names the benches, so they must exist; they are not built.
COPY benches benches
COPY crates crates
COPY migrations migrations
COPY src src
# The caches keep downloaded and compiled dependencies, so that a change compiles only this workspace.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --package lead-mover --no-default-features --bin lead-mover \
    && cp target/release/lead-mover /lead-mover

# The build's version of glibc, root certificates and an unprivileged user; no shell.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /lead-mover /usr/local/bin/lead-mover
# Nothing outside a container can reach its loopback address.
ENV LEAD_MOVER_HTTP_ADDR=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
# Liveness only: a lost database is no reason to restart the container. `health --ready` checks that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/lead-mover", "health"]
ENTRYPOINT ["/usr/local/bin/lead-mover"]
CMD ["serve"]
