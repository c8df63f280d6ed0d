/**
 * @file What was found in a file's functions, kept while they stay as they are. In: findings by function; a change of another
 * function's body. Out: the same findings at their new places, without those that the change may have to do with.
 */
import { movedMessage, type Found } from './context.ts';
import { moved, type Change } from './facts/pieces.ts';

export interface Finding extends Found {
  readonly everywhere: boolean;
}

interface Entry {
  /** Which of the file's pieces it is about. */
  readonly piece: number;
  readonly found: readonly Finding[];
  /** Whether it depends on what other functions do. */
  readonly beyond: boolean;
}

export class Memo {
  /** Functions that were looked at, not remembered. */
  readonly lookedAt = new Set<number>();

  constructor(private readonly entries = new Map<string, Entry | boolean>()) {}

  findings(piece: number, about: string, look: () => Omit<Entry, 'piece'>): readonly Finding[] {
    const key = `${piece} ${about}`;
    const known = this.entries.get(key);
    if (typeof known === 'object') return known.found;
    const entry = { piece, ...look() };
    this.lookedAt.add(piece);
    this.entries.set(key, entry);
    return entry.found;
  }

  /** A fact about a function that only its own text and declarations decide. */
  fact(piece: number, about: string, ask: () => boolean): boolean {
    const key = `${piece} ${about}`;
    const known = this.entries.get(key);
    if (typeof known === 'boolean') return known;
    const answer = ask();
    this.entries.set(key, answer);
    return answer;
  }

  after(change: Change, file: string, beyondSame: boolean): Memo {
    const entries = new Map<string, Entry | boolean>();
    for (const [key, entry] of this.entries) {
      if (key.startsWith(`${change.piece} `)) continue;
      if (typeof entry === 'boolean') entries.set(key, entry);
      else if (beyondSame || !entry.beyond) {
        const found = entry.found.flatMap((f) => movedFinding(f, change, file) ?? []);
        if (found.length === entry.found.length) entries.set(key, { ...entry, found });
      }
    }
    return new Memo(entries);
  }
}

function movedFinding(f: Finding, { shift }: Change, file: string): Finding | undefined {
  const span = moved(f.span, shift);
  const message = movedMessage(f.message, (at) => moved({ start: at, end: at + 1 }, shift)?.start);
  const related = f.related.flatMap((r) => {
    const place = r.place.file === file ? moved(r.place, shift) : r.place;
    return place ? [{ ...r, place }] : [];
  });
  const fixes = f.fixes.map((fix) => ({ ...fix, changes: fix.changes.flatMap((c) => moved(c, shift) ?? []) }));
  const whole = related.length === f.related.length && fixes.every((x, i) => x.changes.length === f.fixes[i]?.changes.length);
  return span && message !== undefined && whole ? { ...f, span, message, related, fixes } : undefined;
}
