# syntax=docker/dockerfile:1
# The service for a PostgreSQL that has the extension PGMQ, as Supabase's has and docker-compose.yml's:
# built without PGMQ's own SQL, which brings a quarter of the crates.

FROM rust:1.93.0-slim-trixie AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
# Named in Cargo.toml, so Cargo wants to see them; not built.
COPY benches benches
COPY migrations migrations
COPY src src
# What was downloaded and compiled stays on the builder, so a change of ours compiles ours alone.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --no-default-features --bin lead-mover \
    && cp target/release/lead-mover /lead-mover

# glibc as the compiler's, the system's root certificates and a user without rights; no shell.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /lead-mover /usr/local/bin/lead-mover
# A container's own loopback is nobody else's.
ENV LEAD_MOVER_HTTP_ADDR=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
# Whether it lives. That the database is away is no reason to start it again; `health --ready` asks for that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/lead-mover", "health"]
ENTRYPOINT ["/usr/local/bin/lead-mover"]
CMD ["serve"]
