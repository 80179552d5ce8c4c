import { bracketed, lines, type Snippet } from './snippet.ts';

const udpPromise =
  'what the network or a full buffer drops is lost; Holdfast counts what its own kernel drops';

export const logger: Snippet = {
  name: 'logger',
  title: 'logger (util-linux)',
  file: null,
  activate: null,
  packages: ['bsdutils'],
  ways: {
    tcp: {
      kind: 'syslog-tcp',
      promise: 'plain syslog over TCP',
      write: ({ host, port }) =>
        lines(
          `logger --tcp --server ${host} --port ${port} --rfc5424 --octet-count --tag backup 'it is done'`,
        ),
    },
    udp: {
      kind: 'syslog-udp',
      promise: udpPromise,
      write: ({ host, port }) =>
        lines(`logger --udp --server ${host} --port ${port} --tag backup 'it is done'`),
    },
  },
};

export const nginx: Snippet = {
  name: 'nginx',
  title: 'nginx',
  file: '/etc/nginx/conf.d/holdfast.conf',
  activate: 'nginx -t && systemctl reload nginx',
  packages: ['nginx-light'],
  ways: {
    udp: {
      kind: 'syslog-udp',
      promise: udpPromise,
      write: ({ host, port }) =>
        lines(
          `access_log syslog:server=${bracketed(host)}:${port},facility=local7,tag=nginx,severity=info combined;`,
          `error_log syslog:server=${bracketed(host)}:${port},facility=local7,tag=nginx warn;`,
        ),
    },
  },
};

export const curl: Snippet = {
  name: 'curl',
  title: 'curl, JSON lines',
  file: null,
  activate: null,
  packages: ['curl'],
  ways: {
    http: {
      kind: 'http',
      promise:
        'status 200 is given after fsync; under its Idempotency-Key, here a hash of the file, a request may be sent again, and shows once',
      write: ({ host, port }) =>
        lines(
          `curl --fail --data-binary @events.ndjson -H 'Content-Type: application/x-ndjson' -H "Idempotency-Key: $(sha256sum < events.ndjson | cut -d' ' -f1)" http://${bracketed(host)}:${port}/ingest`,
        ),
    },
    https: {
      kind: 'https',
      promise: 'as http, encrypted, and both sides show certificates',
      write: ({ host, port, files }) =>
        lines(
          `curl --fail --data-binary @events.ndjson -H 'Content-Type: application/x-ndjson' -H "Idempotency-Key: $(sha256sum < events.ndjson | cut -d' ' -f1)" --cacert ${files}/authority.crt --cert ${files}/client.crt --key ${files}/client.key https://${bracketed(host)}:${port}/ingest`,
        ),
    },
  },
};

export const opentelemetry: Snippet = {
  name: 'opentelemetry',
  title: 'OpenTelemetry SDK',
  file: null,
  activate: null,
  packages: [],
  ways: {
    protobuf: {
      kind: 'http',
      promise: 'status 200 is given after fsync',
      write: ({ host, port }) =>
        lines(
          'export OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf',
          `export OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://${bracketed(host)}:${port}/v1/logs`,
        ),
    },
    json: {
      kind: 'http',
      promise: 'status 200 is given after fsync',
      write: ({ host, port }) =>
        lines(
          'export OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/json',
          `export OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://${bracketed(host)}:${port}/v1/logs`,
        ),
    },
  },
};

export const loggen: Snippet = {
  name: 'loggen',
  title: 'loggen (syslog-ng), to try how much it takes',
  file: null,
  activate: null,
  packages: ['syslog-ng-core'],
  ways: {
    tcp: {
      kind: 'syslog-tcp',
      promise: 'plain syslog over TCP',
      write: ({ host, port }) =>
        lines(`loggen --inet --stream --syslog-proto --number 1000 --rate 100000 ${host} ${port}`),
    },
    udp: {
      kind: 'syslog-udp',
      promise: udpPromise,
      write: ({ host, port }) => lines(`loggen --inet --dgram --number 1000 --rate 10000 ${host} ${port}`),
    },
    tls: {
      kind: 'syslog-tls',
      promise:
        'encrypted; loggen shows no certificate, so Holdfast must take --certificates optional; it ends with a reset, which loses what is on its way',
      write: ({ host, port }) =>
        lines(`loggen --use-ssl --syslog-proto --number 1000 --rate 1000 ${host} ${port}`),
    },
  },
};
