# The product in one image: docker run --init -p 3000:3000 -v trunkline:/data <image>
# Everything it keeps is in the volume; the rest of its file system may be read-only. How to run it: docs/container.md.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

# Compiles. The compilers come ready in their packages and need no install scripts.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY .swcrc ./
COPY scripts/generate.mjs scripts/build.mjs scripts/
COPY prisma prisma
COPY src src
RUN node scripts/generate.mjs && node scripts/build.mjs

# Installs what runs: here the install scripts matter, which lay the embedded PostgreSQL's libraries in their places.
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/generate.mjs scripts/slim-packages.mjs scripts/
RUN npm ci --omit=dev && node scripts/slim-packages.mjs

FROM ${NODE_IMAGE}
# glibc keeps a heap for each thread otherwise, some forty megabytes more.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/data \
    MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY prisma prisma
COPY --from=build /app/dist dist
RUN install -d -o node -g node -m 0700 /data
VOLUME /data
# The user `node` of the image. By its number, so that an orchestrator sees that it is not root.
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
# Whether it runs, not whether its database does: a restart mends the one and not the other. The start may have to wait
# for the recovery of a large database.
HEALTHCHECK --interval=15s --timeout=10s --start-period=5m --retries=3 \
    CMD ["node", "dist/cli.js", "health", "--live"]
ENTRYPOINT ["node", "--enable-source-maps", "--max-semi-space-size=8", "--no-allocation-site-pretenuring", "dist/main.js"]
