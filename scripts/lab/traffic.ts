/** What the lab does inside a tunnel, and the proof that it went through. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Place, runIn } from './processes.js';
import type { Random } from './random.js';

export type Activity =
  | { readonly kind: 'ping'; readonly count: number; readonly size: number }
  | { readonly kind: 'get'; readonly bytes: number }
  | { readonly kind: 'post'; readonly bytes: number }
  | { readonly kind: 'wait'; readonly seconds: number };

/** A few small things in random order; enough to see data move, small enough for a sample. */
export function drawActivities(random: Random): Activity[] {
  const get = (low: number, high: number): Activity => ({ kind: 'get', bytes: random.int(low, high) });
  const list: Activity[] = [{ kind: 'ping', count: random.int(2, 4), size: random.int(16, 200) }];
  const pool = [get(200, 2000), get(3000, 20000)];
  pool.push({ kind: 'post', bytes: random.int(500, 9000) });
  pool.push({ kind: 'ping', count: random.int(1, 3), size: 56 });
  while (pool.length > 0) {
    list.push({ kind: 'wait', seconds: random.int(1, 25) / 10 });
    list.push(...pool.splice(random.int(0, pool.length - 1), 1));
  }
  return list;
}

/** Large transfers both ways: what a download and an upload look like. */
export function drawBulk(random: Random): Activity[] {
  return [
    { kind: 'get', bytes: random.int(900_000, 1_600_000) },
    { kind: 'wait', seconds: random.int(5, 20) / 10 },
    { kind: 'post', bytes: random.int(400_000, 800_000) },
  ];
}

async function curl(place: Place, url: string, more: readonly string[] = [], input = ''): Promise<string> {
  const format = '%{http_code} %{size_download}';
  const command = ['curl', '-sS', '--max-time', '15', '-o', '/dev/null', '-w', format, ...more, url];
  const { stdout, stderr } = await runIn(place, command, { allowFailure: true, seconds: 20, input });
  return (stdout + stderr).trim();
}

/** Does the activities from `place` towards the tunnel's other end; throws if any of them came to nothing. */
export async function perform(
  place: Place,
  target: string,
  activities: readonly Activity[],
): Promise<Record<string, string>> {
  const done: Record<string, string> = {};
  for (const [index, activity] of activities.entries()) {
    if (activity.kind === 'wait') {
      await sleep(activity.seconds * 1000);
    } else if (activity.kind === 'ping') {
      const { count, size } = activity;
      const command = ['ping', '-n', '-i', '0.4', '-c', `${count}`, '-s', `${size}`, target];
      const { stdout } = await runIn(place, command, { allowFailure: true });
      done[`${index} ping ${size}`] = `${/(\d+) received/.exec(stdout)?.[1] ?? 0}/${count}`;
    } else if (activity.kind === 'get') {
      done[`${index} http get`] = await curl(place, `http://${target}/${activity.bytes}`);
    } else {
      const body = ['--data-binary', '@-', '-H', 'Expect:'];
      const text = 'x'.repeat(activity.bytes);
      done[`${index} http post ${activity.bytes}`] = await curl(place, `http://${target}/300`, body, text);
    }
  }
  for (const [name, result] of Object.entries(done)) {
    const worked = name.includes('ping') ? !result.startsWith('0/') : result.startsWith('200 ');
    if (!worked) throw new Error(`nothing came through the tunnel: ${name} gave "${result}"`);
  }
  return done;
}
