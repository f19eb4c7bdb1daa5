import { describe, expect, it } from 'vitest';
import { Metrics } from '../../src/platform/metrics.ts';

describe('Metrics', () => {
  it('counts, observes and measures under names, in the text format of Prometheus', async () => {
    const metrics = new Metrics({ process: false });
    const requests = metrics.counter('veche_requests_total', 'Requests.', ['method', 'status']);
    requests.add({ method: 'GET', status: '200' });
    requests.add({ status: '200', method: 'GET' }, 2);
    requests.add({ method: 'PUT', status: '500' });
    metrics.counter('veche_events_total', 'Events.').add({});
    metrics.histogram('veche_request_seconds', 'Durations.', [], [0.1, 1]).observe({}, 0.5);
    metrics.gauge('veche_connections', 'Connections.', ['listener']).set({ listener: 'a' }, 7);
    let rooms = 1;
    metrics.measured('veche_hot_rooms', 'Rooms in memory.', () => rooms);
    rooms = 42;
    const lines = (await metrics.text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        '# HELP veche_requests_total Requests.',
        '# TYPE veche_requests_total counter',
        'veche_requests_total{method="GET",status="200"} 3',
        'veche_requests_total{method="PUT",status="500"} 1',
        'veche_events_total 1',
        'veche_request_seconds_bucket{le="0.1"} 0',
        'veche_request_seconds_bucket{le="1"} 1',
        'veche_connections{listener="a"} 7',
        'veche_hot_rooms 42',
      ]),
    );
    expect(metrics.contentType).toContain('text/plain');
  });

  it('has one owner for each name', () => {
    const metrics = new Metrics({ process: false });
    metrics.counter('veche_a_total', 'A.');
    expect(() => metrics.counter('veche_a_total', 'A again.')).toThrow('already been registered');
    new Metrics({ process: false }).counter('veche_a_total', 'Of another server in the same process.');
  });

  it('tells about the process when asked to', async () => {
    const metrics = new Metrics({ process: true });
    metrics.counter('veche_a_total', 'A.').add({});
    const text = await metrics.text();
    expect(text).toContain('\nveche_a_total 1\n');
    expect(await new Metrics({ process: true }).text()).not.toContain('veche_a_total');
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      expect(text).toContain(`\n${name} `);
  });
});
