/** Traces as a Parquet file, one row a packet. */
import { ByteWriter, type ColumnSource, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import type { Write } from '../files/output.ts';
import type { Wish } from './plan.ts';
import { since } from './trace.ts';
import { type Origin, originOf, type Trace, tracesOf, type Visit } from './traces.ts';

interface ParquetWish extends Wish {
  origin: Origin;
}

/** Packets of a row group: about as many are held in memory. */
const GROUP = 100_000;

/** Gives what it holds away after each row group; `offset` counts on. */
class PieceWriter extends ByteWriter {
  private readonly give: Write;

  constructor(give: Write) {
    super();
    this.give = give;
  }

  flush(): void {
    this.give(this.getBytes());
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}

interface Columns {
  run: string[];
  visit: string[];
  label: number[];
  url: string[];
  path: string[];
  time: number[];
  direction: number[];
  size: number[];
}

const empty = (): Columns => ({
  ...{ run: [], visit: [], label: [], url: [], path: [], time: [], direction: [], size: [] },
});

const columnData = (columns: Columns): ColumnSource[] => {
  const of = (name: keyof Columns, type: NonNullable<ColumnSource['type']>): ColumnSource => ({
    ...{ name, type, data: columns[name], nullable: false },
  });
  return [
    of('run', 'STRING'),
    of('visit', 'STRING'),
    of('label', 'INT32'),
    of('url', 'STRING'),
    of('path', 'STRING'),
    of('time', 'DOUBLE'),
    of('direction', 'INT32'),
    of('size', 'INT32'),
  ];
};

function addTrace(columns: Columns, trace: Trace, origin: Origin): void {
  const { run, visit, label, url, interfaces } = trace.visit;
  const begin = originOf(trace, origin);
  for (const { time, direction, size, path } of trace.packets) {
    columns.run.push(run);
    columns.visit.push(visit);
    columns.label.push(label);
    columns.url.push(url);
    columns.path.push(interfaces[path] as string);
    columns.time.push(since(time, begin));
    columns.direction.push(direction);
    columns.size.push(size);
  }
}

/** Writes the whole file; returns the traces written. */
export async function writeParquet(
  write: Write,
  visits: AsyncIterable<Visit>,
  wish: ParquetWish,
): Promise<{ rows: number; longer: number }> {
  const schema = schemaFromColumnData({ columnData: columnData(empty()) });
  const writer = new ParquetWriter({ writer: new PieceWriter(write), schema, createdBy: 'comps' });
  let columns = empty();
  let rows = 0;
  const flush = async (): Promise<void> => {
    if (columns.time.length > 0)
      await writer.write({ columnData: columnData(columns), rowGroupSize: Number.MAX_SAFE_INTEGER });
    columns = empty();
  };
  for await (const visit of visits)
    for (const trace of tracesOf(visit, wish)) {
      addTrace(columns, trace, wish.origin);
      rows++;
      if (columns.time.length >= GROUP) await flush();
    }
  await flush();
  await writer.finish();
  return { rows, longer: 0 };
}
