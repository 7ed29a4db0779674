import { BadAnswer, NO_ANSWER, readAnswer } from '../domain/twiml.js';
import { parseTwiml } from './parse-twiml.js';

const BASE = 'https://example.com/sms/in?x=1';
const read = (document: string) => parseTwiml(document, BASE);
const message = (body: string, more: object = {}) => ({ to: null, from: null, statusCallback: null, body, ...more });
const messages = (document: string) => read(document).messages;

function faultOf(act: () => unknown): { reason: string; code: number } | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof BadAnswer) return { reason: error.reason, code: error.code };
    throw error;
  }
}

describe('a TwiML document', () => {
  it.each([
    ['<Response/>', []],
    ['<?xml version="1.0" encoding="UTF-8"?>\n<Response></Response>', []],
    ['\n  <Response><Message>Hello</Message></Response>\n', [message('Hello')]],
    ['<Response><Message>\n  Hello\n  there \n</Message></Response>', [message('Hello\n  there')]],
    ['<Response><Message><Body>Hi</Body><Media>https://x/y.png</Media></Message></Response>', [message('Hi')]],
    ['<Response><Message>own<Body>Hi</Body></Message></Response>', [message('Hi')]],
    ['<Response><Sms>old</Sms></Response>', [message('old')]],
    ['<Response><Message>1 &lt; 2 &amp; &#x263A; &#8364;</Message></Response>', [message('1 < 2 & ☺ €')]],
    ['<Response><Message><![CDATA[<b>&amp;</b>]]></Message></Response>', [message('<b>&amp;</b>')]],
    ['<Response><Message>a<!-- not this -->b</Message><Message>c</Message></Response>', [message('ab'), message('c')]],
    ['<Response><Message> </Message><Message/><Message><Media>x</Media></Message></Response>', []],
    ['<Response><Say><Message>no</Message></Say><Pause/>text<Message>yes</Message></Response>', [message('yes')]],
    [
      '<Response><Message to=" +15550001111 " from="12345">a</Message></Response>',
      [message('a', { to: '+15550001111', from: '12345' })],
    ],
    [
      '<Response><Message action="/done" method="POST">a</Message></Response>',
      [message('a', { statusCallback: 'https://example.com/done' })],
    ],
    [
      '<Response><Message statusCallback="http://other/x" action="/done">a</Message></Response>',
      [message('a', { statusCallback: 'http://other/x' })],
    ],
  ])('%j asks for %j', (document, expected) => {
    expect(messages(document)).toEqual(expected);
    expect(read(document).redirect).toBeNull();
  });

  it('goes on elsewhere from its first redirect', () => {
    expect(
      read(
        '<Response><Message>a</Message><Redirect method="get"> ../next?a=1&amp;b=2 </Redirect><Message>b</Message></Response>',
      ),
    ).toEqual({
      messages: [message('a')],
      redirect: { url: 'https://example.com/next?a=1&b=2', method: 'GET' },
    });
    expect(read('<Response><Redirect/></Response>').redirect).toEqual({ url: BASE, method: 'POST' });
    expect(read('<Response><Redirect>/a</Redirect><Redirect>/b</Redirect></Response>').redirect?.url).toBe(
      'https://example.com/a',
    );
  });

  it.each([
    ['not XML at all', 'well-formed'],
    ['<Response><Message>Hi</Response>', 'well-formed'],
    ['<Response>', 'well-formed'],
    ['<Response/><Response/>', 'well-formed'],
    ['<Response><Message>a & b</Message></Response>', 'well-formed'],
    ['<Response><Message>&nbsp;</Message></Response>', 'well-formed'],
    ['<Response><Message>&#0;</Message></Response>', 'well-formed'],
    ['<Response><Message>&#xD800;</Message></Response>', 'well-formed'],
    ['<Response><Message to=1>a</Message></Response>', 'well-formed'],
    ['<Response><Message to="1" to="2">a</Message></Response>', 'well-formed'],
    ['<html><body>Not found</body></html>', 'no <Response>'],
    ['<response/>', 'no <Response>'],
    ['<!DOCTYPE Response><Response/>', 'document type'],
    [
      '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><Response><Message>&x;</Message></Response>',
      'document type',
    ],
    ['<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><Response><Message>&b;</Message></Response>', 'document type'],
    [`<Response>${'<a>'.repeat(20)}${'</a>'.repeat(20)}</Response>`, 'too deep'],
    [`<Response>${'<a/>'.repeat(2_000)}</Response>`, 'too many elements'],
    [`<Response>${' '.repeat(70_000)}</Response>`, 'too long'],
    ['<Response><Redirect>http://[</Redirect></Response>', 'URL'],
  ])('%j is refused', (document, reason) => {
    const fault = faultOf(() => read(document));
    expect(fault?.code).toBe(12100);
    expect(fault?.reason).toContain(reason);
  });

  it('says nothing of its text when it is refused', () => {
    expect(faultOf(() => read('<Response><Message>secret & more</Message></Response>'))?.reason).not.toContain(
      'secret',
    );
  });
});

describe('an answer', () => {
  const answer = (type: string | null, body: string | Buffer) => readAnswer(type, Buffer.from(body), read);

  it.each([
    ['text/xml', '<Response><Message>a</Message></Response>', [message('a')]],
    ['application/xml; charset=utf-8', '<Response><Message>ä</Message></Response>', [message('ä')]],
    ['text/html', '<Response><Message>a</Message></Response>', [message('a')]],
    [null, ' <Response><Message>a</Message></Response>', [message('a')]],
    ['text/plain', ' Thanks! ', [message('Thanks!')]],
    ['TEXT/PLAIN; charset=UTF-8', '\ufeff<b>', [message('<b>')]],
    ['text/plain; charset=iso-8859-1', Buffer.from([0xe4]), [message('ä')]],
  ])('of type %j is read', (type, body, expected) => {
    expect(answer(type, body)).toEqual({ messages: expected, redirect: null });
  });

  it.each(['text/xml', 'text/plain', 'application/json', null])(
    'of type %j without content asks for nothing',
    (type) => {
      expect(answer(type, '')).toEqual(NO_ANSWER);
      expect(answer(type, ' \n')).toEqual(NO_ANSWER);
    },
  );

  it.each([
    ['application/json', '{"ok":true}'],
    ['image/png', 'x'],
    [null, 'Thanks'],
    ['text/plain; charset=klingon', 'x'],
  ])('of type %j is refused', (type, body) => {
    expect(faultOf(() => answer(type, body))?.code).toBe(12300);
  });
});
