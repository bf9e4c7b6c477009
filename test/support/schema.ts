/// The published JSON Schema as a check.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: false });
formats.default(ajv);

/// build/test/support/ is three folders below the root.
const schema = JSON.parse(readFileSync(new URL('../../../report-v1.schema.json', import.meta.url), 'utf8'));
const validate = ajv.compile(schema);

/// What the schema finds wrong with a report; empty if nothing.
export function schemaErrors(report: unknown): string[] {
  validate(report);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/// Fails unless the report is as the schema describes it.
export function assertValidReport(report: unknown): void {
  assert.deepEqual(schemaErrors(report), []);
}
