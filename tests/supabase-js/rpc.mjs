// Calls SQL functions as an application does, one after the other, and prints what it gets: one line of JSON, a list
// with `data`, `error` and `status` of each. Arguments: the address of the API, the key, and the calls as JSON, a
// list of `{"name": …, "parameters": {…}}`.
import { createClient } from "@supabase/supabase-js";

const [address, key, calls] = process.argv.slice(2);
const supabase = createClient(address, key, { auth: { persistSession: false } });
const answers = [];
for (const { name, parameters } of JSON.parse(calls)) {
  const { data, error, status } = await supabase.rpc(name, parameters);
  answers.push({ data, error: error && { code: error.code, message: error.message, hint: error.hint }, status });
}
console.log(JSON.stringify(answers));
