// The smallest Bolt app that answers the same command: it checks the signature, acknowledges, and stores nothing.
const { App, HTTPReceiver, LogLevel } = require("@slack/bolt");

const receiver = new HTTPReceiver({
  signingSecret: process.env.SIGNING_SECRET,
  endpoints: "/slack/commands",
  logLevel: LogLevel.ERROR,
});
const app = new App({
  receiver,
  authorize: async () => ({ botToken: "xoxb-bench", botId: "B0BENCH", botUserId: "U0BENCH" }),
  logLevel: LogLevel.ERROR,
});
app.command("/deploy", async ({ ack }) => {
  await ack();
});
(async () => {
  const server = await app.start({ port: 0, host: "127.0.0.1" });
  console.log(`http://127.0.0.1:${server.address().port}`);
})();
