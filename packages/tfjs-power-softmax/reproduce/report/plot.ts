import * as echarts from 'echarts';

/** A finished picture. */
export interface Plot {
  /** File name without extension. */
  readonly name: string;
  /** What it shows, for readers who do not see it. */
  readonly alternative: string;
  readonly svg: string;
}

export interface Axis {
  readonly name: string;
  /** Base of a logarithmic axis. */
  readonly log?: 2 | 10;
  readonly min?: number;
  readonly max?: number;
}

/** A line with a band around it; points without a finite `y` are left out. */
export interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly low?: number; readonly high?: number }[];
  readonly dashed?: boolean;
}

export interface LinePlot {
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
}

/** What is in the pictures for pointers only. */
const INTERACTIVE = / (?:ecmeta_\w+|class|pointer-events)="[^"]*"|<style[^>]*>[\s\S]*?<\/style>/g;

/** Colours that stay apart for the colour-blind (Okabe and Ito). */
const COLOURS = ['#000000', '#e69f00', '#56b4e9', '#009e73', '#d55e00', '#cc79a7', '#0072b2', '#999933'];
const WIDTH = 860;

/** Lines with bands from `low` to `high`. */
export function linePlot({ name, title, x, y, lines }: LinePlot): Plot {
  const colour = (i: number): string => COLOURS[i % COLOURS.length] ?? '#000000';
  const series = lines.flatMap((line, i): echarts.SeriesOption[] => {
    const points = line.points.filter((point) => Number.isFinite(point.y));
    const edge = [
      ...points.map(({ x: at, y: mid, high }) => [at, high ?? mid]),
      ...points.toReversed().map(({ x: at, y: mid, low }) => [at, low ?? mid]),
    ];
    const band: echarts.SeriesOption = {
      type: 'custom',
      data: [[points[0]?.x ?? 0, points[0]?.y ?? 1]],
      silent: true,
      clip: true,
      renderItem: (_, api) => ({
        type: 'polygon',
        shape: { points: edge.map((point) => api.coord(point)) },
        style: { fill: colour(i), opacity: 0.15 },
      }),
    };
    const drawn: echarts.SeriesOption = {
      type: 'line',
      name: line.name,
      data: points.map((point) => [point.x, point.y]),
      symbolSize: 5,
      showSymbol: points.length <= 12,
      lineStyle: { width: 2, ...(line.dashed === true ? { type: 'dashed' as const } : {}) },
      color: colour(i),
      clip: true,
    };
    return points.some(({ low }) => low !== undefined) ? [band, drawn] : [drawn];
  });
  const svg = render(title, 480, {
    title: titleOf(title),
    legend: { type: 'plain', orient: 'vertical', right: 10, top: 50, data: lines.map((line) => ({ name: line.name })) },
    grid: { left: 70, right: 230, top: 50, bottom: 55 },
    xAxis: axisOf(x, 32),
    yAxis: axisOf(y, 50),
    series,
  });
  return { name, alternative: title, svg };
}

export interface HeatMap {
  readonly name: string;
  /** Rows from the top. */
  readonly cells: readonly (readonly number[])[];
}

export interface HeatMapPlot {
  readonly name: string;
  readonly title: string;
  /** Rows of maps, each as long as the first. */
  readonly rows: readonly (readonly HeatMap[])[];
  /** Value of the darkest colour. */
  readonly largest: number;
}

/** Square maps side by side, all with the same colours; their upper triangles are left out. */
export function heatMapPlot({ name, title, rows, largest }: HeatMapPlot): Plot {
  const columns = rows[0]?.length ?? 1;
  const [gap, top] = [12, 70];
  const cells = Math.max(1, rows[0]?.[0]?.cells.length ?? 1);
  const cell = Math.max(1, Math.floor(((WIDTH - gap) / columns - gap) / cells));
  const pitch = cells * cell + gap;
  const placed = rows.flatMap((row, r) => row.map((map, c) => ({ map, left: gap + c * pitch, top: top + r * (pitch + 20) })));
  const bottom = top + rows.length * (pitch + 20);
  const label = (text: string, left: number, above: number): echarts.TitleComponentOption => ({
    text,
    left,
    top: above,
    textStyle: { fontSize: 12, fontWeight: 'normal' },
  });
  const legend = Array.from({ length: SHADES }, (_, shade) => ({
    fill: shadeColour(shade),
    pathData: square(60 + 10 * shade, bottom, 10),
  }));
  const svg = render(title, bottom + 30, {
    title: [
      titleOf(title),
      ...placed.map((at) => label(at.map.name, at.left - 5, at.top - 22)),
      label('0', 40, bottom - 8),
      label(`${largest} and above`, 60 + 10 * SHADES, bottom - 8),
    ],
    series: {
      type: 'custom',
      coordinateSystem: 'none',
      data: [0],
      renderItem: () => ({
        type: 'group',
        children: [...placed.flatMap((at) => shadedPaths(at.map, at.left, at.top, cell, largest)), ...legend].map(({ fill, pathData }) => ({
          type: 'path' as const,
          shape: { pathData },
          style: { fill },
        })),
      }),
    },
  });
  return { name, alternative: title, svg };
}

/** Number of colours of a map: cells of one colour are one path, which keeps the file small. */
const SHADES = 24;

function shadedPaths({ cells }: HeatMap, left: number, top: number, cell: number, largest: number) {
  const paths = new Map<number, string>();
  cells.forEach((row, i) => {
    row.slice(0, i + 1).forEach((value, j) => {
      const shade = Math.min(SHADES - 1, Math.floor((SHADES * value) / largest));
      paths.set(shade, (paths.get(shade) ?? '') + square(left + j * cell, top + i * cell, cell));
    });
  });
  return [...paths].map(([shade, pathData]) => ({ fill: shadeColour(shade), pathData }));
}

function square(x: number, y: number, side: number): string {
  return `M${x} ${y}h${side}v${side}h${-side}z`;
}

/** White, blue, black. */
function shadeColour(shade: number): string {
  const stops = ['#f4f9fd', '#56b4e9', '#0b3c5d', '#000000'];
  return echarts.color.lerp(shade / (SHADES - 1), stops);
}

function axisOf({ name, log, min, max }: Axis, nameGap: number) {
  return {
    ...(log === undefined ? { type: 'value' as const } : { type: 'log' as const, logBase: log }),
    name,
    nameLocation: 'middle' as const,
    nameGap,
    scale: true,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    splitLine: { show: true, lineStyle: { color: '#e8e8e8' } },
    axisLabel:
      log !== undefined ? { formatter: (value: number) => (value >= 1e4 || value < 1e-2 ? value.toExponential(0) : String(value)) } : {},
  };
}

function titleOf(text: string) {
  return { text, left: 10, top: 10, textStyle: { fontSize: 15 } };
}

/** A picture whose title readers that do not see it get too. */
function render(title: string, height: number, option: echarts.EChartsOption): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({ animation: false, backgroundColor: '#ffffff', textStyle: { fontFamily: 'sans-serif' }, ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  const escaped = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `${svg.replace(INTERACTIVE, '').replace('>', ` role="img"><title>${escaped}</title>`)}\n`;
}
