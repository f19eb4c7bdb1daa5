# veche in a container: docker build -t veche . && docker run -p 8008:8008 -v veche-data:/data -e VECHE_SERVER_NAME=example.org veche
# Everything of config.sample.yaml can be given as an environment variable; TLS and port 8448 are the business of a proxy
# or of VECHE_LISTENERS.
FROM node:24-slim

WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages bring a Node of their own, which the image has already.
RUN npm ci --omit=dev --omit=optional && npm cache clean --force
COPY migrations ./migrations
COPY src ./src

RUN mkdir -p /data && chown node:node /data
VOLUME /data

ENV NODE_ENV=production
# The allocator of glibc keeps a heap for each of the many threads otherwise: 10 MiB that nobody uses.
ENV MALLOC_ARENA_MAX=2
ENV VECHE_DATA_DIR=/data
# Inside the container every address is the container's own; what is reachable is decided by the published ports.
ENV VECHE_LISTENERS="[{ bind: 0.0.0.0, port: 8008, serve: [client, media, federation, admin, health, metrics] }]"

EXPOSE 8008
USER node
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8008/health').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
