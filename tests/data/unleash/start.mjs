// Starts a throw-away Unleash on loopback, with an account that may read and nothing else, and says its token. It ends when
// its standard input does.
//
//   node start.mjs DATABASE PORT ADMIN_TOKEN
import { start } from 'unleash-server';

const [databaseUrl, port, adminToken] = process.argv.slice(2);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

const password = 'Harbour-4-story';
await start({
  databaseUrl,
  db: { ssl: false },
  server: { port: Number(port), host: '127.0.0.1' },
  authentication: {
    type: 'open-source',
    initialAdminUser: { username: 'admin', password },
    initApiTokens: [
      { environment: '*', projects: ['*'], secret: adminToken, type: 'admin', tokenName: 'story', username: 'story' },
    ],
  },
  logLevel: 'error',
  versionCheck: { enable: false },
  telemetry: false,
});

const base = `http://127.0.0.1:${port}`;
const ask = async (path, body, headers) => {
  const answer = await fetch(base + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer;
};
// Role 3 is Viewer.
const viewer = { username: 'tidegate', name: 'Tidegate', rootRole: 3, password, sendEmail: false };
const session = async (username) => {
  const answer = await ask('/auth/simple/login', { username, password }, {});
  return { cookie: answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ') };
};
await ask('/api/admin/user-admin', viewer, await session('admin'));
const made = await ask(
  '/api/admin/user/tokens',
  { description: 'tidegate', expiresAt: '2099-01-01T00:00:00Z' },
  await session('tidegate'),
);
console.log(`ready ${(await made.json()).secret}`);
