# Which programs does Hatchet need around it, and how is each of them verified before it is let in?

FROM node:24-slim AS tools
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates curl unzip \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /download
# Versions and sums are those of app/tools/versions.ts; test/packaging.test.ts compares them.
ARG TARGETARCH=amd64
ARG TERRAFORM_VERSION=1.11.4
ARG TERRAFORM_SUM_AMD64=1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc
ARG TERRAFORM_SUM_ARM64=a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633
ARG TOFU_VERSION=1.12.6
ARG TOFU_SUM_AMD64=5dc43da4f750f33873dc25e94587128709e819e544b7be9016b255316153c3a8
ARG TOFU_SUM_ARM64=e573979ba68a17fe7b881752051a694a7efcd970e39521f6a25775197861ed4d
ARG OPA_VERSION=1.9.0
# Each file must have the sum that its maker publishes beside it and, where we know one, the pinned sum.
RUN file="terraform_${TERRAFORM_VERSION}_linux_${TARGETARCH}.zip" \
 && base="https://releases.hashicorp.com/terraform/${TERRAFORM_VERSION}" \
 && case "${TARGETARCH}" in amd64) pinned="${TERRAFORM_SUM_AMD64}" ;; arm64) pinned="${TERRAFORM_SUM_ARM64}" ;; *) exit 1 ;; esac \
 && curl --fail --silent --show-error --location --remote-name "${base}/${file}" \
 && curl --fail --silent --show-error --location "${base}/terraform_${TERRAFORM_VERSION}_SHA256SUMS" --output sums \
 && grep --fixed-strings "  ${file}" sums | sha256sum --check --strict \
 && echo "${pinned}  ${file}" | sha256sum --check --strict \
 && unzip -q "${file}" terraform -d /usr/local/bin \
 && terraform version
RUN file="tofu_${TOFU_VERSION}_linux_${TARGETARCH}.zip" \
 && base="https://github.com/opentofu/opentofu/releases/download/v${TOFU_VERSION}" \
 && case "${TARGETARCH}" in amd64) pinned="${TOFU_SUM_AMD64}" ;; arm64) pinned="${TOFU_SUM_ARM64}" ;; *) exit 1 ;; esac \
 && curl --fail --silent --show-error --location --remote-name "${base}/${file}" \
 && curl --fail --silent --show-error --location "${base}/tofu_${TOFU_VERSION}_SHA256SUMS" --output sums \
 && grep --fixed-strings "  ${file}" sums | sha256sum --check --strict \
 && echo "${pinned}  ${file}" | sha256sum --check --strict \
 && unzip -q "${file}" tofu -d /usr/local/bin \
 && tofu version
RUN file="opa_linux_${TARGETARCH}_static" \
 && base="https://openpolicyagent.org/downloads/v${OPA_VERSION}" \
 && curl --fail --silent --show-error --location --remote-name "${base}/${file}" \
 && curl --fail --silent --show-error --location "${base}/${file}.sha256" --output sums \
 && grep --fixed-strings "  ${file}" sums | sha256sum --check --strict \
 && install --mode=0755 "${file}" /usr/local/bin/opa \
 && opa version

FROM node:24-slim AS dependencies
WORKDIR /hatchet
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-slim
# git makes merge results, bubblewrap keeps runs apart, certificates are wanted even by a plaintext Temporal client,
# tini reaps what Terraform's providers leave behind.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git tini \
 && rm -rf /var/lib/apt/lists/*
COPY --from=tools /usr/local/bin/terraform /usr/local/bin/tofu /usr/local/bin/opa /usr/local/bin/
WORKDIR /hatchet
COPY --from=dependencies /hatchet/node_modules ./node_modules
COPY package.json LICENSE ./
COPY app ./app
COPY workflows ./workflows
COPY activities ./activities
COPY policies ./policies
# Two seconds less at every start, and nothing of the image has to be writable.
RUN node app/bundle.ts \
 && install --directory --owner=node --group=node --mode=0700 /data
ENV NODE_ENV=production HATCHET_DATA_DIR=/data HOST=0.0.0.0 PORT=3000
VOLUME /data
# Webhooks and pages; and, where control opens it (HATCHET_RUNNER_LISTEN), the door for runners.
EXPOSE 3000 3001
# The user node; a number, so that Kubernetes can tell that it is not root.
USER 1000:1000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--"]
CMD ["node", "app/main.ts"]
