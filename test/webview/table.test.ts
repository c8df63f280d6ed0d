/** @file The ops table: sort, groups, what is absent; and the search that filters it. */
import { describe, expect, it } from 'vitest';
import { indexProfile } from '../../webview/model/joins.ts';
import { fuzzy, nextMatch, searchNodes } from '../../webview/model/search.ts';
import { nextSort, tableRows, type TableOptions } from '../../webview/model/table.ts';
import { conv2dProfile } from '../fixtures/profiles.ts';

const index = indexProfile(conv2dProfile());
const rows = (change: Partial<TableOptions>) =>
  tableRows(index, { sort: { descending: false }, grouping: 'none', opened: new Set(), ...change });

describe('sort', () => {
  it('keeps the order of execution at first, without the inputs', () => {
    expect(rows({})).toHaveLength(index.profile.nodes.length - 2);
    expect(rows({})[0]).toMatchObject({ kind: 'op', node: { op: 'unfold' } });
  });

  it.each([true, false])('puts absent figures last (descending: %s)', (descending) => {
    const times = rows({ sort: { column: 'eager', descending } }).map((row) => row.eagerMs);
    const known = times.filter((ms) => ms !== undefined);
    expect(times.slice(0, known.length)).toEqual(known.toSorted((a, b) => (descending ? b - a : a - b)));
    expect(times.at(-1)).toBeUndefined();
  });

  it('starts figures with the largest, and ends with the order of execution', () => {
    const first = nextSort({ descending: false }, 'bytes');
    const second = nextSort(first, 'bytes');
    expect([first, second, nextSort(second, 'bytes')]).toEqual([
      { column: 'bytes', descending: true },
      { column: 'bytes', descending: false },
      { descending: false },
    ]);
    expect(nextSort(first, 'op')).toEqual({ column: 'op', descending: false });
  });
});

describe('groups', () => {
  it('sum their ops and show the line', () => {
    const groups = rows({ grouping: 'line', sort: { column: 'eager', descending: true } });
    expect(groups[0]).toMatchObject({ kind: 'group', title: 'conv2d.ts:27', count: 144, open: false });
    expect(groups[0]?.kind === 'group' && groups[0].source).toContain('matmul');
    const share = groups.reduce((total, row) => total + (row.share ?? 0), 0);
    expect(share).toBeCloseTo(1);
    expect(groups.at(-1)?.share).toBeUndefined();
  });

  it('list the ops of open ones', () => {
    const [group, op] = rows({ grouping: 'op', opened: new Set(['unfold']) });
    expect([group?.kind, op?.kind]).toEqual(['group', 'op']);
    expect(rows({ grouping: 'kernel' }).map((row) => row.id)).toContain('k0');
  });
});

describe('search', () => {
  const ops = (query: string) => new Set([...(searchNodes(index, query) ?? [])].map((id) => index.nodes.get(id)?.op));

  it('matches letters in order, not strewn', () => {
    expect(fuzzy('mtml', 'matmul')).toBeDefined();
    expect(fuzzy('lum', 'matmul')).toBeUndefined();
    expect(fuzzy('mat', 'matmul') ?? 0).toBeGreaterThan(fuzzy('mul', 'matmul') ?? 0);
    expect(fuzzy('xyz', 'ax by cz')).toBeUndefined();
  });

  it('looks at op, line, shape and kernel', () => {
    expect([...ops('op:matmul')]).toEqual(['matmul']);
    expect([...ops('line:conv2d.ts:19')]).toEqual(['contiguous']);
    expect(ops('[262144]')).toContain('matmul');
    expect([...ops('shape:16x512')]).toContain('zeros');
  });

  it('compares figures', () => {
    expect([...ops('time>20us')].sort()).toEqual(['contiguous', 'unfold']);
    expect([...ops('op:matmul time<1us')]).toEqual([]);
    expect(searchNodes(index, '  ')).toBeUndefined();
  });

  it('filters the table and goes around', () => {
    const only = searchNodes(index, 'op:matmul');
    expect(rows({ only })).toHaveLength(48);
    const first = nextMatch(index, 'op:matmul', undefined, false);
    const last = nextMatch(index, 'op:matmul', undefined, true);
    expect(first?.total).toBe(48);
    expect(nextMatch(index, 'op:matmul', { kind: 'node', id: last?.id ?? '' }, false)?.id).toBe(first?.id);
    expect(nextMatch(index, 'zzz', undefined, false)).toEqual({ id: undefined, at: 0, total: 0 });
  });
});
