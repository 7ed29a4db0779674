import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { HostNotFoundError, HostResolver, isLocalhostName, parseHosts } from './host-resolver.js';

describe('isLocalhostName', () => {
  it.each(['localhost', 'LocalHost', 'localhost.', 'a.localhost', 'a.b.localhost.', 'localhost.localdomain'])(
    '%s is',
    (name) => expect(isLocalhostName(name)).toBe(true),
  );
  it.each(['localhost.example.com', 'notlocalhost', 'localhosts', '', '.'])('%j is not', (name) =>
    expect(isLocalhostName(name)).toBe(false),
  );
});

describe('parseHosts', () => {
  it('reads names, aliases and comments, and skips what is malformed', () => {
    const hosts = parseHosts(
      ['# comment', '', '10.0.0.1 Alpha beta # trailing', 'fd00::1\talpha', 'nonsense gamma', '10.0.0.2', '\r'].join(
        '\n',
      ),
    );
    expect(Object.fromEntries(hosts)).toEqual({ alpha: ['10.0.0.1', 'fd00::1'], beta: ['10.0.0.1'] });
  });
});

describe('HostResolver', () => {
  it('knows this machine without asking', async () => {
    const resolver = new HostResolver(['127.0.0.1:9']);
    await expect(resolver.resolve('localhost')).resolves.toEqual(['127.0.0.1', '::1']);
    resolver.close();
  });

  it('reports a name that it cannot resolve', async () => {
    const resolver = new HostResolver(['127.0.0.1:9']);
    await expect(resolver.resolve('host.test')).rejects.toThrow(HostNotFoundError);
    resolver.close();
  });

  it('gives up on open questions when it is closed', async () => {
    const silentServer = createSocket('udp4').bind(0, '127.0.0.1');
    await once(silentServer, 'listening');
    const resolver = new HostResolver([`127.0.0.1:${silentServer.address().port}`]);
    const question = once(silentServer, 'message');
    const answer = expect(resolver.resolve('host.test')).rejects.toThrow('ECANCELLED');
    await question;
    resolver.close();
    await answer;
    silentServer.close();
  });
});
