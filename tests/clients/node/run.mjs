// Makes one call and prints what came of it as one line of JSON: run.mjs CLIENT SERVER KEY FILE TASK.
const [name, server, key, file, task] = process.argv.slice(2);
const { call } = await import(`./${name}.mjs`);
let answer;
try {
  answer = await call(server, key, file, task);
} catch (error) {
  const last = error.lastError ?? error; // of the ai SDK, whose own error counts the attempts
  answer = { error: { status: last.status ?? last.statusCode, message: error.message } };
}
console.log(JSON.stringify(answer));
