export { type ParsedMetric, type Sample, parseExposition } from "./parse-exposition.ts";
