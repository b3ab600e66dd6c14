// SPDX-License-Identifier: Apache-2.0
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the webhook counts. */
export class WebhookMetrics {
  readonly registry = new Registry();
  readonly reviews = new Counter({
    name: 'lensfs_admission_reviews_total',
    help: 'Reviews answered, by what became of the object; "failed" ones were allowed unchanged',
    labelNames: ['result'] as const,
    registers: [this.registry],
  });
  readonly refused = new Counter({
    name: 'lensfs_admission_refused_requests_total',
    help: 'Requests that got no review, by HTTP status; "aborted" when the client hung up',
    labelNames: ['status'] as const,
    registers: [this.registry],
  });
  readonly failedHandshakes = new Counter({
    name: 'lensfs_admission_failed_handshakes_total',
    help: 'Connections that ended before TLS was agreed on, as when the certificate is not trusted',
    registers: [this.registry],
  });
  readonly seconds = new Histogram({
    name: 'lensfs_admission_review_seconds',
    help: 'Time from a request to its answer',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 3],
    registers: [this.registry],
  });
  readonly certificateExpiry = new Gauge({
    name: 'lensfs_admission_certificate_expiry_timestamp_seconds',
    help: 'When the certificate that is served ends',
    registers: [this.registry],
  });
  readonly certificateFailures = new Counter({
    name: 'lensfs_admission_certificate_failures_total',
    help: 'Attempts to read or renew the certificate that failed',
    registers: [this.registry],
  });

  constructor() {
    for (const result of ['injected', 'unchanged', 'skipped', 'not_selected', 'failed']) {
      this.reviews.inc({ result }, 0);
    }
  }
}
