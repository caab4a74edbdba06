// Starts a throw-away OpenID provider on loopback, where everybody signs in with their name and any password. It ends when
// its standard input does.
//
//   node start.mjs PORT REDIRECT_URI
import Provider from 'oidc-provider';

const [port, redirect] = process.argv.slice(2);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'tidegate',
      client_secret: 'a secret / with signs: that are quoted',
      redirect_uris: [redirect],
      response_types: ['code'],
      grant_types: ['authorization_code'],
    },
  ],
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: true }),
  }),
  features: { devInteractions: { enabled: true } },
  cookies: { keys: ['of a story'] },
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
