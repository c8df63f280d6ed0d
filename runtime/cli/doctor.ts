/** @file `jitlens doctor`: opens each kind of device, runs one sum on it, and says what it found, and where plans are kept. */
import { probeDevice } from '../host/probe.ts';
import { sizeText } from '../device/buffers.ts';
import { keptSize } from '../kept-text.ts';
import { openBackend } from '../kernels/open.ts';
import '../ops/table.ts';
import { formatRate } from '../profile/format.ts';
import { setCurrentBackend } from '../tensor/backend.ts';
import { arange } from '../tensor/create.ts';
import { VERSION } from '../version.ts';

const EXPECTED = 499_500;

export async function doctor(args: string[]): Promise<number> {
  if (args.length > 0) {
    const help = args[0] === '--help' || args[0] === '-h';
    (help ? console.log : console.error)(
      'Usage: jitlens doctor\n\nOpens each kind of device, runs one sum on it, and says what it found, and where compiled plans are kept.',
    );
    return help ? 0 : 2;
  }
  console.log(`JitLens ${VERSION} · Node ${process.version} · ${process.platform} ${process.arch}`);
  let working = 0;
  for (const kind of ['gpu', 'software', 'reference'] as const) {
    try {
      const backend = await openBackend(kind);
      setCurrentBackend(backend);
      const sum = await arange(1000).sum().item();
      const { timerResolutionNs, copyBytesPerSecond } = await probeDevice(backend);
      const clock = timerResolutionNs === undefined ? 'no clock' : `clock steps of ${timerResolutionNs} ns`;
      const figures = [clock, ...(copyBytesPerSecond ? [`copies ${formatRate(copyBytesPerSecond, 'B/s')}`] : [])];
      if (sum !== EXPECTED) throw new Error(`it computes a wrong sum: ${sum} instead of ${EXPECTED}`);
      console.log(`✔ ${kind.padEnd(10)}${backend.info.name}${kind === 'reference' ? '' : ` · ${figures.join(' · ')}`}`);
      working++;
    } catch (error) {
      console.log(`✘ ${kind.padEnd(10)}${error instanceof Error ? error.message : String(error)}`);
    }
  }
  for (const kind of ['plans', 'trials'] as const) {
    const kept = keptSize(kind);
    console.log(`  ${'cache'.padEnd(10)}${kept ? `${kept.folder} · ${kept.files} ${kind}, ${sizeText(kept.bytes)}` : 'off'}`);
    if (!kept) break;
  }
  return working > 0 ? 0 : 1;
}
