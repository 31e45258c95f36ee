/**
 * The values of which the OpenAPI document is made, and how one part of it refers to another.
 */
export type Json = string | number | boolean | null | readonly Json[] | JsonMap;
export type JsonMap = { readonly [name: string]: Json };

export const isMap = (value: Json | undefined): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The kinds of shared parts that the document has (OpenAPI 3.1, 4.8.7). */
export type ComponentKind = 'schemas' | 'responses' | 'parameters' | 'headers' | 'securitySchemes';

/** A reference to a shared part. */
export const ref = (kind: ComponentKind, name: string): JsonMap => ({ $ref: `#/components/${kind}/${name}` });

/** The entry, or nothing: for members that are only there under a condition. */
export const given = (name: string, value: Json | undefined | false): JsonMap =>
  value === undefined || value === false ? {} : { [name]: value };
