/**
 * @file A text that is kept between processes. In: what it depends on, all of which its file's name stands for. Out: the text, if
 * it is there and whole. Files of one kind are in one folder, which stays below a size.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { keep, keptFolder, readKept, sizeOf, trim } from './cache.ts';

export type KeptKind = 'plans' | 'trials';

const MOST_BYTES: Readonly<Record<KeptKind, number>> = { plans: 256 * 1024 * 1024, trials: 16 * 1024 * 1024 };
/** Files that are written before a folder is looked through again. */
const BETWEEN_TRIMS = 64;

const written: Record<KeptKind, number> = { plans: 0, trials: 0 };

/** How much is kept where; undefined where nothing is. */
export function keptSize(
  kind: KeptKind,
): { readonly folder: string; readonly files: number; readonly bytes: number } | undefined {
  const folder = keptFolder(kind);
  return folder === undefined ? undefined : { folder, ...sizeOf(folder) };
}

export class KeptText {
  private constructor(
    private readonly kind: KeptKind,
    private readonly folder: string,
    private readonly name: string,
  ) {}

  /** Undefined where nothing is kept, or it is not known what it depends on. */
  static of(kind: KeptKind, factsOf: () => unknown): KeptText | undefined {
    const folder = keptFolder(kind);
    const facts = folder === undefined ? undefined : factsOf();
    return folder === undefined || facts === undefined ? undefined : new KeptText(kind, folder, nameOf(facts));
  }

  read(): string | undefined {
    const data = readKept(join(this.folder, this.name));
    if (!data) return undefined;
    const end = data.indexOf('\n');
    const body = data.subarray(end + 1);
    return end < 0 || data.toString('latin1', 0, end) !== this.head(body) ? undefined : body.toString();
  }

  /** Keeps what `text` gives, when the code that calls waits for something. */
  write(text: () => string): void {
    setImmediate(() => {
      const body = Buffer.from(text());
      const isKept = keep(join(this.folder, this.name), Buffer.concat([Buffer.from(`${this.head(body)}\n`), body]));
      if (isKept && written[this.kind]++ % BETWEEN_TRIMS === 0) trim(this.folder, MOST_BYTES[this.kind]);
    });
  }

  /** The first line: a file that was cut off, changed or renamed has another. */
  private head(body: Buffer): string {
    return `jitlens ${this.kind} ${this.name} ${sha256(body)}`;
  }
}

/** Equal for facts that are. */
export const nameOf = (facts: unknown): string => sha256(JSON.stringify(facts, exactly));

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** JSON has no −0, infinities and NaN of its own, and plans differ by them. */
function exactly(_key: string, value: unknown): unknown {
  const lost = typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0));
  return lost ? { number: Object.is(value, -0) ? '-0' : String(value) } : value;
}
