/**
 * @file One file's report. In: the file and what is known about its program. Out: diagnostics and functions. Functions that did
 * not change since the last time are not looked at again: what was found in them is remembered.
 */
import { Context, withLines, type Found, type Running } from './context.ts';
import type { Kind, Rule } from './define.ts';
import type { Diagnostic, FileReport, FunctionReport, Range, Related } from '../profile/diagnostic.ts';
import { functionsOf, isWithin, nameNode, nameOf, type FunctionNode } from './facts/functions.ts';
import { piecesOf } from './facts/pieces.ts';
import { isExcluded, type Place, type Reach, type Reached } from './facts/reach.ts';
import type { Types } from './facts/types.ts';
import { worksOnTensors } from './facts/units.ts';
import type { Writes } from './facts/writes.ts';
import type { Finding, Memo } from './memo.ts';
import { rangeIn } from './ranges.ts';
import { rules } from './rules/table.ts';
import { withoutSuppressed } from './suppress.ts';
import { ts, type TS } from './typescript.ts';

const allCodes: ReadonlySet<string> = new Set(rules.map((rule) => rule.code));
const MAX_CHAIN = 8;

export interface Facts {
  readonly program: TS.Program;
  readonly types: Types;
  readonly writes: Writes;
  readonly reach: Reach;
}

/** Rules that look at a function or a file, by the kind of node; those of whole functions apart. */
interface Lookup {
  readonly byKind: ReadonlyMap<TS.SyntaxKind, readonly Rule[]>;
  readonly units: readonly Rule[];
}

const lookups = new Map<Running, Lookup>();

function lookup(running: Running): Lookup {
  const known = lookups.get(running);
  if (known) return known;
  const wanted = rules.filter((rule) =>
    running === 'eager' ? rule.everywhere : !rule.everywhere && (running === 'scripted' || rule.traced),
  );
  const byKind = new Map<TS.SyntaxKind, Rule[]>();
  for (const rule of wanted) {
    for (const kind of rule.on) {
      if (kind === 'Unit') continue;
      const key = ts.SyntaxKind[kind satisfies Exclude<Kind, 'Unit'>];
      byKind.set(key, [...(byKind.get(key) ?? []), rule]);
    }
  }
  const found = { byKind, units: wanted.filter((rule) => rule.on.includes('Unit')) };
  lookups.set(running, found);
  return found;
}

export class FileCheck {
  constructor(
    private readonly source: TS.SourceFile,
    private readonly file: string,
    private readonly facts: Facts,
    private readonly memo: Memo,
  ) {}

  report(): FileReport {
    const { source, memo } = this;
    const { types, reach } = this.facts;
    const pieces = piecesOf(source).nodes;
    const outer: ReadonlySet<TS.Node> = new Set(pieces);
    const everywhere = [...this.look(source, undefined, 'eager', outer).found];
    pieces.forEach((node, i) => everywhere.push(...memo.findings(i, 'eager', () => this.look(node, undefined, 'eager'))));
    const found: Finding[] = [...everywhere];
    const functions: FunctionReport[] = [];
    const units: FunctionNode[] = [];
    let [piece, ordinal] = [0, 0];
    for (const fn of functionsOf(source).values()) {
      // Outer functions come first, and what lies within a piece comes right after it.
      for (let next = pieces[piece]; next && next.end < fn.end; next = pieces[piece]) [piece, ordinal] = [piece + 1, 0];
      const [at, id] = [piece, ordinal++];
      const look = (running: Running) => memo.findings(at, `${id} ${running}`, () => this.look(fn, fn, running));
      const reached = reach.of(fn);
      if (isExcluded(fn, types)) continue;
      const inner = units.some((unit) => isWithin(fn, unit));
      const isUnit = !inner && memo.fact(at, `${id} works`, () => worksOnTensors(fn, types));
      if (!isUnit && (!reached || (inner && this.covered(fn, units, reached)))) continue;
      if (isUnit) units.push(fn);
      const own = look('scripted');
      const related = this.chain(reached);
      if (reached?.mode === 'scripted') found.push(...own.map((f) => ({ ...f, related: [...f.related, ...related] })));
      else if (reached) {
        const warnings = look('traced');
        found.push(...warnings.map((f) => ({ ...f, severity: 'warning' as const, related: [...f.related, ...related] })));
      }
      if (!isUnit && inner) continue;
      const inside = everywhere.filter((f) => f.span.start >= fn.pos && f.span.end <= fn.end);
      const obstacles = distinct([...own, ...inside].filter((f) => f.severity === 'error'));
      functions.push({
        name: nameOf(fn),
        range: nameNode(fn) ? this.range(nodeSpan(nameNode(fn) ?? fn)) : this.firstLine(fn),
        scripted: reached?.mode === 'scripted',
        obstacles: obstacles.map((f) => this.diagnostic(f)),
      });
    }
    const kept = withoutSuppressed(source, distinct(found), allCodes);
    return { file: this.file, diagnostics: distinct(kept).map((f) => this.diagnostic(f)), functions };
  }

  /** Whether what is found in an inner function is found with the function around it. */
  private covered(fn: FunctionNode, units: readonly FunctionNode[], reached: Reached): boolean {
    return units.some((unit) => isWithin(fn, unit) && this.facts.reach.of(unit)?.mode === reached.mode);
  }

  /** The rules on everything below a node, but not below what is looked at apart. */
  private look(
    root: TS.Node,
    unit: FunctionNode | undefined,
    running: Running,
    apart?: ReadonlySet<TS.Node>,
  ): { readonly found: readonly Finding[]; readonly beyond: boolean } {
    const found: Finding[] = [];
    const { types, writes, reach } = this.facts;
    const { byKind, units } = lookup(running);
    const context = new Context(this.source, types, writes, reach, unit, running, (rule, span, message, more) => {
      const severity = more.severity ?? rule.severity ?? 'hint';
      const fixes = (more.fixes ?? []).flatMap((f) => (f ? [f] : []));
      const related = (more.related ?? []).map((r) => ({
        message: r.message,
        place: { ...nodeSpan(r.node), file: r.node.getSourceFile().fileName },
      }));
      found.push({ code: rule.code, severity, message, span, related, fixes, everywhere: rule.everywhere });
    });
    const ask = (rules: readonly Rule[], node: TS.Node): void => {
      for (const rule of rules) {
        context.rule = rule;
        rule.check(node, context);
      }
    };
    const child = (node: TS.Node): void => {
      if (apart?.has(node)) return;
      // What is kept out of graphs is kept out here.
      if (!unit || !(ts.isTypeNode(node) || ts.isDecorator(node))) visit(node);
    };
    const visit = (node: TS.Node): void => {
      const here = byKind.get(node.kind);
      if (here) ask(here, node);
      if (ts.isPropertyAccessExpression(node)) child(node.expression);
      else ts.forEachChild(node, child);
    };
    if (unit) ask(units, unit);
    visit(root);
    return { found, beyond: context.looksBeyond };
  }

  private chain(reached: Reached | undefined): { readonly message: string; readonly place: Place }[] {
    return (reached?.chain ?? []).slice(0, MAX_CHAIN).flatMap(({ caller, place }) => {
      const fn = this.facts.reach.functionOf(caller);
      return fn ? [{ message: `called from ‘${nameOf(fn)}’`, place }] : [];
    });
  }

  private diagnostic(f: Finding | Found): Diagnostic {
    return {
      code: f.code,
      severity: f.severity,
      message: withLines(f.message, this.source),
      range: this.range(f.span),
      related: f.related.map(({ message, place }): Related => {
        const source = this.facts.program.getSourceFile(place.file) ?? this.source;
        return { message, range: rangeIn(source, place, source === this.source ? this.file : place.file) };
      }),
      fixes: f.fixes.map(({ title, changes, alone }) => ({
        title: withLines(title, this.source),
        ...(alone ? { alone } : {}),
        edits: changes.map((c) => ({ range: this.range(c), text: c.text })),
      })),
    };
  }

  private range(span: { readonly start: number; readonly end: number }): Range {
    return rangeIn(this.source, span, this.file);
  }

  private firstLine(fn: FunctionNode): Range {
    const start = fn.getStart();
    const line = this.source.text.indexOf('\n', start);
    return this.range({ start, end: line < 0 ? fn.end : Math.min(line, fn.end) });
  }
}

function nodeSpan(node: TS.Node): { readonly start: number; readonly end: number } {
  return { start: node.getStart(), end: node.end };
}

/** In order of place, each once. */
function distinct<F extends Found>(found: readonly F[]): F[] {
  const seen = new Map<string, F>();
  for (const f of found) {
    const key = `${f.code} ${f.span.start} ${f.span.end}`;
    if (!seen.has(key)) seen.set(key, f);
  }
  return [...seen.values()].sort(
    (a, b) => a.span.start - b.span.start || a.span.end - b.span.end || a.code.localeCompare(b.code),
  );
}
