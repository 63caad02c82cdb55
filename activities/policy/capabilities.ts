// Which built-in functions may a policy call, so that one that cannot work fails when it is compiled?
import { z } from 'zod';
import { operatorError } from '../faults.ts';
import { hostBuiltinNames } from './builtins/builtins.ts';
import { runOpa } from './run-opa.ts';

/**
 * What OPA's compiler translates to WebAssembly itself (OPA 1.9), without what Rego v1 no longer knows; everything
 * else is called on the host.
 */
const nativeBuiltinNames = `
  abs and array.concat array.reverse array.slice assign base64.decode base64.encode base64.is_valid
  base64url.decode base64url.encode bits.and bits.lsh bits.negate bits.or bits.rsh bits.xor ceil concat
  contains count div endswith eq equal floor format_int glob.match graph.reachable gt gte indexof
  internal.member_2 internal.member_3 internal.print intersection is_array is_boolean is_null is_number
  is_object is_set is_string json.filter json.is_valid json.marshal json.remove json.unmarshal lower lt lte
  max min minus mul neq net.cidr_contains net.cidr_intersects numbers.range object.filter object.get
  object.keys object.remove object.union object.union_n or plus print product regex.find_all_string_submatch_n
  regex.is_valid regex.match rego.metadata.chain rego.metadata.rule rem replace round sort split startswith
  strings.replace_n strings.reverse substring sum to_number trim trim_left trim_prefix trim_right trim_space
  trim_suffix type_name union upper walk
`;

/** Names of every built-in function that a compiled policy may rely on. */
export const allowedBuiltinNames: ReadonlySet<string> = new Set([
  ...nativeBuiltinNames.trim().split(/\s+/),
  ...hostBuiltinNames,
]);

const capabilities = z.looseObject({ builtins: z.array(z.looseObject({ name: z.string() })) });

/**
 * The text of a capabilities file: what this `opa` can do, cut down to what works here.
 * Source: openpolicyagent.org/docs/deployments#capabilities
 */
export async function readCapabilities(opaPath: string, cwd: string): Promise<string> {
  const { ok, stdout, stderr } = await runOpa({ opaPath, cwd, args: ['capabilities', '--current'] });
  if (!ok) throw operatorError(`opa capabilities failed: ${stderr.trim()}`);
  const current = capabilities.parse(JSON.parse(stdout));
  return JSON.stringify({
    ...current,
    builtins: current.builtins.filter(({ name }) => allowedBuiltinNames.has(name)),
  });
}
