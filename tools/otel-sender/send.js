import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';

// usage: node send.js json|protobuf none|gzip URL TEXT...   ends with 1 if the receiver did not take them
const [form, compression, url, ...texts] = process.argv.slice(2);
const Exporter = form === 'json' ? JsonExporter : ProtobufExporter;
const exporter = new Exporter({ url, compression });
let code = 0;
const send = exporter.export.bind(exporter);
exporter.export = (records, done) =>
  send(records, (result) => {
    if (result.code !== 0) {
      console.error(result.error);
      code = 1;
    }
    done(result);
  });
const provider = new LoggerProvider({
  resource: resourceFromAttributes({ 'service.name': 'otel-sender' }),
  processors: [new BatchLogRecordProcessor({ exporter })],
});
const logger = provider.getLogger('test');
for (const body of texts) logger.emit({ severityNumber: 9, severityText: 'INFO', body });
await provider.forceFlush();
await provider.shutdown();
process.exitCode = code;
