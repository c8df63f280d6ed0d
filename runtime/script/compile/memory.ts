/**
 * @file What the code being compiled remembers: variables, the arrays and records that it made, and fields that it assigned. A
 * branch is explored and taken back, so that the other one starts from the same state; what it changed is handed out.
 */
import type { TS } from '../typescript.ts';
import { isRecord } from './values.ts';

/** A variable, or a field of an object from outside that the code assigns. */
export class Cell {
  constructor(
    public value: unknown,
    readonly name: string,
    /** Grows with every cell: those that are younger than a branch cannot be seen after it. */
    readonly age: number,
    readonly constant: boolean,
    /** Where it is declared by itself: its type may stand there. */
    readonly declared?: TS.VariableDeclaration | TS.ParameterDeclaration,
  ) {}
}

export class Scope {
  private readonly cells = new Map<string, Cell>();

  constructor(
    readonly parent: Scope | undefined,
    /** Names from outside the code. */
    readonly outside?: Readonly<Record<string, unknown>>,
  ) {}

  find(name: string): Cell | { readonly outside: Readonly<Record<string, unknown>> } | undefined {
    const own = this.cells.get(name);
    if (own) return own;
    if (this.outside && name in this.outside) return { outside: this.outside };
    return this.parent?.find(name);
  }

  add(cell: Cell): Cell {
    this.cells.set(cell.name, cell);
    return cell;
  }
}

/** What a branch changed: new values of cells, new contents of arrays and records. */
export interface Changes {
  readonly cells: ReadonlyMap<Cell, unknown>;
  readonly objects: ReadonlyMap<object, readonly [string, unknown][]>;
}

export class Memory {
  private age = 0;
  private readonly trail: { cell: Cell; before: unknown }[] = [];
  private readonly owned = new Set<object>();
  /** Lists of a fixed length: tuples, and fresh ones that ops give. */
  private readonly fixed = new WeakSet<object>();
  private readonly fields = new Map<object, Map<PropertyKey, Cell>>();

  declare(scope: Scope, name: string, value: unknown, constant = false, declared?: Cell['declared']): Cell {
    return scope.add(new Cell(value, name, this.age++, constant, declared));
  }

  assign(cell: Cell, value: unknown): void {
    this.trail.push({ cell, before: cell.value });
    cell.value = value;
  }

  /** The code made it, so it may change it. */
  own<T extends object>(made: T): T {
    if (Array.isArray(made) || isRecord(made)) this.owned.add(made);
    return made;
  }

  /** Says that nothing changes a list. */
  fix<T>(made: T): T {
    if (Array.isArray(made)) this.fixed.add(made);
    return made;
  }

  isFixed(x: object): boolean {
    return this.fixed.has(x);
  }

  owns(x: object): boolean {
    return this.owned.has(x);
  }

  /** The cell that stands for a field of an object from outside, once the code has assigned it. */
  field(of: object, key: PropertyKey): Cell | undefined {
    return this.fields.get(of)?.get(key);
  }

  /** Starts to stand in for a field whose value is `now`. */
  standIn(of: object, key: PropertyKey, now: unknown): Cell {
    const known = this.field(of, key);
    if (known) return known;
    const cells = this.fields.get(of) ?? new Map<PropertyKey, Cell>();
    this.fields.set(of, cells);
    // As old as the object: it can be seen after every branch.
    const cell = new Cell(now, String(key), -1, false);
    cells.set(key, cell);
    return cell;
  }

  /** Fields that were assigned. */
  *standIns(): Generator<{ of: object; key: PropertyKey; cell: Cell }> {
    for (const [of, cells] of this.fields) for (const [key, cell] of cells) yield { of, key, cell };
  }

  /** Runs `body`, then takes back what it did. */
  explore<T>(body: () => T): { result: T; changes: Changes } {
    const mark = this.trail.length;
    const born = this.age;
    const before = [...this.owned].map((x) => [x, contents(x)] as const);
    try {
      const result = body();
      const cells = new Map<Cell, unknown>();
      for (const { cell } of this.trail.slice(mark)) if (cell.age < born) cells.set(cell, cell.value);
      const objects = new Map<object, [string, unknown][]>();
      for (const [x, was] of before) if (!sameContents(was, contents(x))) objects.set(x, contents(x));
      return { result, changes: { cells, objects } };
    } finally {
      for (const { cell, before: value } of this.trail.splice(mark).reverse()) cell.value = value;
      for (const [x, was] of before) restore(x, was);
    }
  }
}

function contents(x: object): [string, unknown][] {
  return Object.entries(x);
}

function sameContents(a: readonly [string, unknown][], b: readonly [string, unknown][]): boolean {
  return a.length === b.length && a.every(([key, value], i) => key === b[i]?.[0] && Object.is(value, b[i][1]));
}

/** Gives an array or record other contents. */
export function restore(x: object, entries: readonly [string, unknown][]): void {
  if (Array.isArray(x)) x.length = 0;
  else for (const key of Object.keys(x)) Reflect.deleteProperty(x, key);
  for (const [key, value] of entries) Reflect.set(x, key, value);
}
