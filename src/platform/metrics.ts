import {
  collectDefaultMetrics,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from 'prom-client';

/** Label values; the names are fixed when a metric is defined. Values must be few: never ids of users, rooms or servers. */
export type Labels<L extends string> = Readonly<Record<L, string>>;

export interface Counter<L extends string> {
  add(labels: Labels<L>, amount?: number): void;
}
export interface Histogram<L extends string> {
  observe(labels: Labels<L>, value: number): void;
}
export interface Gauge<L extends string> {
  set(labels: Labels<L>, value: number): void;
}

/** Upper bounds in seconds, from a hot request to a long poll. */
export const secondsBuckets: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/**
 * Every counter of the server, by name: a name is defined once, by the part that counts, as `veche_…` with its unit last
 * (`_total`, `_seconds`, `_bytes`). https://prometheus.io/docs/practices/naming/
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #all: readonly Registry[];

  /** `process`: also CPU, memory, garbage collection and event-loop delay of the process. */
  constructor(options: { readonly process: boolean }) {
    this.#all = options.process ? [processRegistry(), this.#registry] : [this.#registry];
  }

  /** Throws when the name is taken. */
  counter<const L extends string = never>(name: MetricName, help: string, labelNames: readonly L[] = []): Counter<L> {
    const counter = new PromCounter<L>({ name, help, labelNames, registers: [this.#registry] });
    const children = new Children(labelNames, (labels) => counter.labels(labels));
    return { add: (labels, amount = 1) => children.of(labels).inc(amount) };
  }

  histogram<const L extends string = never>(
    name: MetricName,
    help: string,
    labelNames: readonly L[] = [],
    buckets: readonly number[] = secondsBuckets,
  ): Histogram<L> {
    const histogram = new PromHistogram<L>({
      name,
      help,
      labelNames,
      buckets: [...buckets],
      registers: [this.#registry],
    });
    const children = new Children(labelNames, (labels) => histogram.labels(labels));
    return { observe: (labels, value) => children.of(labels).observe(value) };
  }

  gauge<const L extends string = never>(name: MetricName, help: string, labelNames: readonly L[] = []): Gauge<L> {
    const gauge = new PromGauge<L>({ name, help, labelNames, registers: [this.#registry] });
    const children = new Children(labelNames, (labels) => gauge.labels(labels));
    return { set: (labels, value) => children.of(labels).set(value) };
  }

  /** A gauge that is read when somebody asks for the metrics. */
  measured(name: MetricName, help: string, read: () => number): void {
    const gauge = new PromGauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read());
      },
    });
    this.#registry.registerMetric(gauge);
  }

  readonly contentType: string = this.#registry.contentType;

  /** In the text format of Prometheus. */
  async text(): Promise<string> {
    const texts = await Promise.all(this.#all.map((registry) => registry.metrics()));
    return texts.join('\n');
  }
}

/** What is observed of a process is observed once, and for as long as it runs, however many servers it starts and closes. */
function processRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
let ofProcess: Registry | undefined;

export type MetricName = `veche_${string}`;

/** prom-client checks and hashes labels at each call; hot paths have few combinations, so each is looked up once. */
class Children<L extends string, Child> {
  readonly #labelNames: readonly L[];
  readonly #make: (labels: Labels<L>) => Child;
  readonly #children = new Map<string, Child>();

  constructor(labelNames: readonly L[], make: (labels: Labels<L>) => Child) {
    this.#labelNames = labelNames;
    this.#make = make;
  }

  of(labels: Labels<L>): Child {
    let key = '';
    for (const name of this.#labelNames) key += `${labels[name]}\0`;
    let child = this.#children.get(key);
    if (child === undefined) this.#children.set(key, (child = this.#make(labels)));
    return child;
  }
}
