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
  readonly log?: boolean;
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
  const svg = render(480, {
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

/** Square maps side by side, all with the same colours. */
export function heatMapPlot({ name, title, rows, largest }: HeatMapPlot): Plot {
  const columns = rows[0]?.length ?? 1;
  const [gap, top] = [12, 70];
  const side = Math.floor((WIDTH - gap) / columns) - gap;
  const maps = rows.flatMap((row, r) =>
    row.map((map, c) => ({ ...map, left: gap + c * (side + gap), top: top + r * (side + gap + 20), size: map.cells.length })),
  );
  const height = top + rows.length * (side + gap + 20) + 30;
  const hidden = (gridIndex: number, size: number) => ({
    type: 'category' as const,
    gridIndex,
    data: Array.from({ length: size }, (_, k) => k),
    axisLabel: { show: false },
    axisTick: { show: false },
    axisLine: { show: true, onZero: false },
  });
  const svg = render(height, {
    title: [
      titleOf(title),
      ...maps.map((map) => ({
        text: map.name,
        left: map.left,
        top: map.top - 20,
        textStyle: { fontSize: 12, fontWeight: 'normal' as const },
      })),
    ],
    grid: maps.map((map) => ({ left: map.left, top: map.top, width: side, height: side })),
    xAxis: maps.map((map, i) => hidden(i, map.size)),
    yAxis: maps.map((map, i) => ({ ...hidden(i, map.size), inverse: true })),
    visualMap: {
      min: 0,
      max: largest,
      orient: 'horizontal',
      left: 'center',
      bottom: 5,
      itemHeight: 200,
      itemWidth: 12,
      precision: 2,
      inRange: { color: ['#ffffff', '#56b4e9', '#0b3c5d', '#000000'] },
    },
    series: maps.map((map, i) => ({
      type: 'heatmap',
      xAxisIndex: i,
      yAxisIndex: i,
      data: map.cells.flatMap((cells, row) => cells.flatMap((value, column) => (column <= row ? [[column, row, value]] : []))),
    })),
  });
  return { name, alternative: title, svg };
}

function axisOf({ name, log = false, min, max }: Axis, nameGap: number) {
  return {
    type: log ? ('log' as const) : ('value' as const),
    name,
    nameLocation: 'middle' as const,
    nameGap,
    scale: true,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    splitLine: { show: true, lineStyle: { color: '#e8e8e8' } },
    axisLabel: log ? { formatter: (value: number) => (value >= 1e4 || value < 1e-2 ? value.toExponential(0) : String(value)) } : {},
  };
}

function titleOf(text: string) {
  return { text, left: 10, top: 10, textStyle: { fontSize: 15 } };
}

function render(height: number, option: echarts.EChartsOption): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({ animation: false, backgroundColor: '#ffffff', textStyle: { fontFamily: 'sans-serif' }, ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}
