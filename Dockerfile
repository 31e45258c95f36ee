# The gateway alone (no demo issuer): node src/main.ts. The root file system may be read-only; the one thing that is
# written is the embedded journal, in /app/var. Mount the configuration at /app/config/gateway.yaml, or name another
# file in GATEWAY_CONFIG, and have its `server` and `admin` listen on 0.0.0.0:
#   docker run --read-only -v ./gateway.yaml:/app/config/gateway.yaml:ro -v gateway-var:/app/var -p 8080:8080 IMAGE

FROM node:26-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Production packages only; none of them has an install script, so none may run one.
RUN npm ci --omit=dev --ignore-scripts

FROM node:26-bookworm-slim
ENV NODE_ENV=production GATEWAY_CONFIG=/app/config/gateway.yaml
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY config ./config
COPY src ./src
RUN install -d -o node -g node -m 0700 var compiled
USER node
# What Node makes of the sources, made once: a start takes half as long, and the compiler stays out of memory. Named are the
# program and what it loads only where a configuration, or a request, asks for it.
ENV NODE_COMPILE_CACHE=/app/compiled
RUN node --input-type=module --eval "await Promise.all(['main', 'gateway', 'workers/worker', 'workers/start', 'workers/processes', 'http/admin', 'journal/redis', 'journal/sqlite', 'openapi/document'].map(name => import('/app/src/' + name + '.ts')))"
# Node runs what it finds there in place of the sources, so that nobody may write it, either.
USER root
RUN chown -R root:root compiled && chmod -R a+rX,go-w compiled
USER node
VOLUME /app/var
# The public port and the admin port of the example configuration.
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.GATEWAY_ADMIN_PORT || 9090}/healthz`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "src/main.ts"]
