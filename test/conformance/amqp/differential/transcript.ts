import type { Content, Received } from './client.ts';
import type { Session } from './session.ts';
import { textOf, type Argument } from './frames.ts';

/** What a broker said in one run: per connection and channel, in order. */
export type Transcript = Readonly<Record<string, readonly Line[]>>;
export type Line = string | { readonly [method: string]: unknown; readonly content?: Content };

/** Names that a broker makes up, by what stays in a transcript of them. */
const MADE_UP = ['amq.gen', 'amq.ctag', 'amq.rabbitmq.reply-to'];

/** Product, version and limits are each broker's own; a scenario of its own notes what of them matters. */
const GREETING = ['connection.start', 'connection.tune'];

const LAST_WORDS = ['connection.close', 'connection.close-ok', 'protocol-header'];

/**
 * Makes runs comparable. Names that the broker made up are counted; times are zero; deliveries stand per consumer,
 * cancels of consumers by themselves, and so do confirms, one by one and in order of their numbers, because brokers may
 * interleave and join them.
 */
export function transcriptOf(session: Session): Transcript {
  const names = new Map<string, string>();
  const streams: Record<string, Line[]> = {};
  for (const [client, { received }] of session.clients) {
    const confirmed = new Map<string, Set<number>>();
    const confirms = new Map<string, [number, Line][]>();
    let over = false;
    for (const frame of received) {
      if (GREETING.includes(frame.name)) continue;
      // How long a broker keeps a socket after the last word is its own affair.
      if (frame.name === 'end' && over) continue;
      over ||= LAST_WORDS.includes(frame.name);
      const stream = `${client}/${frame.channel}`;
      if (frame.name === 'basic.ack' || frame.name === 'basic.nack') {
        const list = confirms.get(stream) ?? [];
        confirms.set(stream, list);
        const tags = confirmed.get(stream) ?? new Set();
        confirmed.set(stream, tags);
        list.push(...single(frame, tags));
        continue;
      }
      const line = lineOf(frame, names);
      const key = `${stream}${asideOf(frame, names)}`;
      (streams[key] ??= []).push(line);
    }
    for (const [stream, list] of confirms) {
      list.sort(([a], [b]) => a - b);
      streams[`${stream} confirms`] = list.map(([, line]) => line);
    }
  }
  if (session.notes.length > 0) {
    streams['notes'] = session.notes.map((note) => madeUp(note, names));
  }
  return streams;
}

/** One line per message that this frame confirms first. */
function single(frame: Received, confirmed: Set<number>): [number, Line][] {
  const tag = Number(frame.args['delivery-tag']);
  const lines: [number, Line][] = [];
  for (let one = frame.args['multiple'] === true ? 1 : tag; one <= tag; one++) {
    if (frame.args['multiple'] === true && confirmed.has(one)) continue;
    lines.push([one, `${frame.name} ${one}`]);
    confirmed.add(one);
  }
  return lines;
}

/** What comes when it comes, beside the answers of its channel. */
function asideOf({ name, args }: Received, names: Map<string, string>): string {
  if (name === 'basic.deliver') return ` to ${madeUp(textOf(args['consumer-tag']), names)}`;
  return name === 'basic.cancel' ? ' cancels' : '';
}

function lineOf({ name, args, content }: Received, names: Map<string, string>): Line {
  if (Object.keys(args).length === 0 && content === undefined) return name;
  const line = { [name]: normal(args, names) };
  return content === undefined ? line : { ...line, content: normal(content, names) as Content };
}

function normal(value: unknown, names: Map<string, string>): unknown {
  if (typeof value === 'string') return madeUp(value, names);
  if (Array.isArray(value)) return value.map((item) => normal(item, names));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Record<string, Argument>);
  return Object.fromEntries(
    // The time of an entry of x-death.
    entries.map(([key, item]) => [key, key === 'time' ? { T: 0 } : normal(item, names)]),
  );
}

function madeUp(text: string, names: Map<string, string>): string {
  for (const prefix of MADE_UP) {
    const pattern = new RegExp(`${prefix.replaceAll('.', '\\.')}[-.][A-Za-z0-9_+/=.-]+`, 'g');
    text = text.replace(pattern, (name) => {
      const known = names.get(name);
      if (known !== undefined) return known;
      const count = [...names.values()].filter((other) => other.startsWith(prefix)).length;
      const replacement = `${prefix}-${count + 1}`;
      names.set(name, replacement);
      return replacement;
    });
  }
  return text;
}
