// Render a formula for each line of JSON, {"latex": ..., "display": ...}, and answer {"markup"} or {"error"}.
const katex = require(process.argv[2]);
const options = { output: "mathml", throwOnError: true, strict: "error" };

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { latex, display } = JSON.parse(line);
  let answer;
  try {
    answer = { markup: katex.renderToString(latex, { ...options, displayMode: display }) };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
});
