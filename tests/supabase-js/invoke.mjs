// Invokes the function as an application does, and prints what it gets: one line of JSON, with `data` and
// `error`. Arguments: the address of the service, the key, and the body as JSON where there is one.
import { createClient } from "@supabase/supabase-js";

const [address, key, body] = process.argv.slice(2);
const supabase = createClient(address, key, { auth: { persistSession: false } });
const { data, error } = await supabase.functions.invoke(
  "process-lead-migration-queue",
  body === undefined ? undefined : { body: JSON.parse(body) },
);
const status = error?.context?.status ?? null;
console.log(JSON.stringify({ data, error: error && { name: error.name, status } }));
