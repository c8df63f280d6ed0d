/**
 * @file Fuzzy search over ops and kernels. In: a query and texts. Out: a score, or undefined where the query's letters do
 * not all occur in order. Words are independent; `op:`, `line:`, `shape:` and `kernel:` bind a word to one field, and
 * `time>1ms`, `bytes>1MB`, `flops>1e9` compare a figure.
 */
import type { ProfileNode } from '../../runtime/profile/model.ts';
import { place, shapeText } from './format.ts';
import type { ProfileIndex } from './joins.ts';
import type { Selection } from './selection.ts';

/** Higher is better: runs of letters, starts of words and an exact substring count for more. */
export function fuzzy(query: string, text: string): number | undefined {
  const wanted = query.toLowerCase();
  const within = text.toLowerCase();
  const exact = within.indexOf(wanted);
  if (exact >= 0) return 100 + wanted.length * 4 - exact * 0.1 - within.length * 0.01;
  let score = 0;
  let from = 0;
  let last = -2;
  for (const letter of wanted) {
    const at = within.indexOf(letter, from);
    if (at < 0) return undefined;
    const startsWord = at === 0 || /[^a-z0-9]/.test(within.charAt(at - 1));
    score += at === last + 1 ? 3 : startsWord ? 2 : 0.5;
    last = at;
    from = at + 1;
  }
  // Letters strewn over a long text are chance, not a match.
  return score >= wanted.length * 1.5 ? score : undefined;
}

type Field = 'op' | 'line' | 'shape' | 'kernel';
type Measure = 'time' | 'bytes' | 'flops';

interface Fields {
  readonly texts: Readonly<Record<Field, string>>;
  readonly measures: Readonly<Record<Measure, number | undefined>>;
}

type Term =
  | { readonly kind: 'text'; readonly text: string; readonly field?: Field }
  | { readonly kind: 'measure'; readonly measure: Measure; readonly above: boolean; readonly limit: number };

const fieldTerm = /^(op|line|shape|kernel):(.+)$/;
const measureTerm = /^(time|bytes|flops)([<>])([\d.]+(?:e\d+)?)([a-zµ]*)$/i;
/** Times in milliseconds, the rest plain. */
const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  k: 1e3,
  m: 1e6,
  g: 1e9,
};

function parseTerm(word: string): Term {
  const measured = measureTerm.exec(word);
  if (measured) {
    const [, name = '', sign, digits = '', unit = ''] = measured;
    const limit = Number(digits) * (units[unit.toLowerCase()] ?? 1);
    const measure = name.toLowerCase();
    if (measure === 'time' || measure === 'bytes' || measure === 'flops')
      return { kind: 'measure', measure, above: sign === '>', limit };
  }
  const [, field, text] = fieldTerm.exec(word) ?? [];
  if (text !== undefined && (field === 'op' || field === 'line' || field === 'shape' || field === 'kernel')) {
    return { kind: 'text', text, field };
  }
  return { kind: 'text', text: word };
}

export function parseQuery(query: string): readonly Term[] {
  return query.split(/\s+/).filter(Boolean).map(parseTerm);
}

function scoreTerm(term: Term, fields: Fields): number | undefined {
  if (term.kind === 'measure') {
    const value = fields.measures[term.measure];
    return value !== undefined && (term.above ? value > term.limit : value < term.limit) ? 1 : undefined;
  }
  const texts = term.field ? [fields.texts[term.field]] : Object.values(fields.texts);
  const scores = texts.map((text) => fuzzy(term.text, text)).filter((score) => score !== undefined);
  return scores.length === 0 ? undefined : Math.max(...scores);
}

export function score(terms: readonly Term[], fields: Fields): number | undefined {
  let total = 0;
  for (const term of terms) {
    const one = scoreTerm(term, fields);
    if (one === undefined) return undefined;
    total += one;
  }
  return total;
}

export function nodeFields(index: ProfileIndex, node: ProfileNode): Fields {
  const home = index.kernels.get(index.home.get(node.id) ?? '');
  return {
    texts: {
      op: `${node.op} ${node.attributes}`.trim(),
      line: place(node.span),
      shape: `${shapeText(node.output)} ${node.output.shape.join('x')}`,
      kernel: home?.name ?? '',
    },
    measures: { time: node.eagerMs, bytes: node.bytes, flops: node.flops },
  };
}

/** Ids of the ops that match, in the order of execution; undefined when nothing is asked. */
export function searchNodes(index: ProfileIndex, query: string): ReadonlySet<string> | undefined {
  const terms = parseQuery(query);
  if (terms.length === 0) return undefined;
  const found = index.profile.nodes.filter((node) => score(terms, nodeFields(index, node)) !== undefined);
  return new Set(found.map((node) => node.id));
}

export interface Match {
  /** The op to go to next; none where nothing matches. */
  readonly id?: string;
  /** Which match the selection is, from 1; 0 where it is none. */
  readonly at: number;
  readonly total: number;
}

/** The match after or before the selected op, around the end. */
export function nextMatch(
  index: ProfileIndex,
  query: string,
  selection: Selection | undefined,
  backwards: boolean,
): Match | undefined {
  const found = searchNodes(index, query);
  if (!found) return undefined;
  const ids = [...found];
  const current = selection?.kind === 'node' ? ids.indexOf(selection.id) : -1;
  const step = backwards ? (current < 0 ? -1 : current - 1) : current + 1;
  return { id: ids.at(step % Math.max(1, ids.length)), at: current + 1, total: ids.length };
}
