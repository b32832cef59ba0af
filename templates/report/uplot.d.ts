/** The library stands in the page in front of these scripts. */
declare const uPlot: typeof import('uplot').default;
type Plot = import('uplot').default;
type PlotOptions = import('uplot').Options;
type PlotRows = import('uplot').AlignedData;
