// schema.js SCHEMA FILE: whether FILE is what the JSON schema asks for.
const fs = require("fs"), Ajv = require("ajv");
const [schema, file] = process.argv.slice(2).map((f) => JSON.parse(fs.readFileSync(f)));
const valid = new Ajv({ strict: false }).compile(schema);
if (!valid(file)) {
  console.log(JSON.stringify(valid.errors, null, 1).slice(0, 2000));
  process.exit(1);
}
