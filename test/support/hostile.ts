/** Texts that PostgreSQL cannot hold, as a form or a query writes them. */
export const UNSTORABLE: readonly [name: string, encoded: string][] = [
  ['a NUL', 'a%00b'],
  ['a lone high surrogate', '%ED%A0%80'],
  ['a lone low surrogate', 'x%ED%B0%80'],
  ['an overlong NUL', '%C0%80'],
  ['a cut-off character', '%E2%82'],
];

/** The same in JSON. */
export const UNSTORABLE_JSON: readonly [name: string, written: string][] = [
  ['a NUL', '"a\\u0000b"'],
  ['a lone high surrogate', '"\\ud800"'],
  ['a lone low surrogate', '"x\\udc00"'],
];

/** Callback URLs that are no http(s) URL. */
export const NO_CALLBACK_URLS: readonly string[] = [
  'banana',
  '//203.0.113.9/x',
  '/relative',
  'example.com/hook',
  'http://',
  'http:///x',
  'http://[::1',
  'http://exa mple.com/',
  'http://example.com:99999/',
  'http://a%00b/',
  'ftp://example.com/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'data:text/plain,x',
  'gopher://127.0.0.1:6379/_x',
  'unix:/var/run/docker.sock',
  `http://example.com/${'x'.repeat(9_000)}`,
];

/** Callback URLs that point inside, in every notation that somebody's parser takes for an address. */
export const INTERNAL_URLS: readonly string[] = [
  // plain
  'http://127.0.0.1/',
  'https://127.0.0.1:8443/x',
  'http://127.255.255.254/',
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://100.64.0.1/',
  'http://0.0.0.0/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  // decimal, hexadecimal, octal, short
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://017700000001/',
  'http://0177.0.0.1/',
  'http://0x7F.0.0.0x1/',
  'http://127.1/',
  'http://127.0.1/',
  'http://0/',
  'http://2852039166/',
  // IPv6 and IPv4 within it
  'http://[::1]/',
  'http://[::]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[fe80::1]/',
  'http://[fd00::1]/',
  'http://[ff02::1]/',
  // names of this machine
  'http://localhost/',
  'http://LOCALHOST:3000/',
  'http://localhost./',
  'http://hooks.localhost/',
  // dots and digits that are no ASCII
  'http://127.0.0.1./',
  'http://127。0。0。1/',
  'http://127．0．0．1/',
  'http://１２７.0.0.1/',
  'http://①②⑦.⓪.⓪.①/',
  'http://ⓛocalhost/',
  // who is the user, who is the host
  'http://198.51.100.7@127.0.0.1/',
  'http://198.51.100.7:80@127.0.0.1/',
  'http://127.0.0.1\\@198.51.100.7/',
  'http://127.0.0.1#@198.51.100.7/',
  'http://127.0.0.1?@198.51.100.7/',
  'http://127.0.0.1\t/',
  ' http://127.0.0.1/',
  'hTtP://127.0.0.1/',
  'http:127.0.0.1/',
  'http:\\\\127.0.0.1/',
];
