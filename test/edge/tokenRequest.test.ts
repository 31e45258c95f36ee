/**
 * What a request for a token has to look like before anybody is asked who they are: one grant, one way to authenticate,
 * one media type, each parameter once.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { assertion, brief, EndpointStage, encoded, FORM, JWT_BEARER, parameters, without } from './endpointStage.ts';

let stage: EndpointStage;
beforeEach(() => {
  stage = new EndpointStage();
});

describe('a request for a token', () => {
  it('S45: wants an assertion, of the one type there is', async () => {
    expect(brief(await stage.post(without('client_assertion')))).toBe('401 invalid_client assertion.missing');
    expect(brief(await stage.post(parameters({ client_assertion: '' })))).toBe('401 invalid_client assertion.missing');
    expect(brief(await stage.post({ grant_type: 'client_credentials' }))).toBe('401 invalid_client assertion.missing');
    expect(brief(await stage.post(without('client_assertion_type')))).toBe('400 invalid_request assertionType');
    for (const type of [
      'jwt-bearer',
      `${JWT_BEARER} `,
      JWT_BEARER.toUpperCase(),
      'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
    ]) {
      expect(brief(await stage.post(parameters({ client_assertion_type: type })))).toBe(
        '400 invalid_request assertionType',
      );
    }
    expect(stage.once.taken.size).toBe(0);
  });

  it('S46: knows one grant', async () => {
    expect(brief(await stage.post(without('grant_type')))).toBe('400 invalid_request grantMissing');
    expect(brief(await stage.post(parameters({ grant_type: '' })))).toBe('400 invalid_request grantMissing');
    for (const grant of [
      'password',
      'authorization_code',
      'refresh_token',
      'CLIENT_CREDENTIALS',
      'client_credentials ',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      '__proto__',
    ]) {
      expect(brief(await stage.post(parameters({ grant_type: grant })))).toBe('400 unsupported_grant_type grant');
    }
    expect(stage.once.taken.size).toBe(0);
  });

  it('S57: a parameter may be there once, whatever it is', async () => {
    const body = encoded(parameters({ scope: 'Purchase' }));
    for (const more of [
      'grant_type=client_credentials',
      'scope=Purchase',
      'scope=',
      'sc%6Fpe=Refund',
      'scope',
      'x=1&x=1',
      '__proto__=1&__proto__=1',
    ]) {
      expect(brief(await stage.postText(`${body}&${more}`)), more).toBe('400 invalid_request form');
    }
    expect((await stage.postText(`${body}&x=1&__proto__=1&&`)).status).toBe(200);
  });

  it.each([
    ['half a percent sign', 'a=%'],
    ['a percent sign with one digit', 'a=%2'],
    ['a percent sign with other letters', 'a=%zz'],
    ['bytes that are no UTF-8', 'a=%ff%fe'],
    ['an overlong encoding', 'a=%c0%af'],
    ['a surrogate', 'a=%ed%a0%80'],
    ['a blank', 'a=b c'],
    ['a line end', 'a=b\r\nc'],
    ['a zero', 'a=\u0000'],
    ['letters that should be escaped', 'a=é'],
    ['33 parameters', Array.from({ length: 33 }, (_, at) => `p${at}=1`).join('&')],
  ])('S57: refuses a body with %s', async (_, more) => {
    expect(brief(await stage.postText(`${encoded(parameters())}&${more}`))).toBe('400 invalid_request form');
    expect(stage.once.taken.size).toBe(0);
  });

  it('S57: reads escapes and plus signs as forms do', async () => {
    const body = encoded(parameters()).replace('client_assertion=', '%63lient_assertion=');
    expect((await stage.postText(`${body}&scope=Purchase+%52efund`)).status).toBe(200);
  });

  it('S57: takes no parameters in the query, and knows one media type', async () => {
    expect(brief(await stage.post(parameters(), { rawQuery: 'scope=Purchase' }))).toBe('400 invalid_request query');
    expect(brief(await stage.post(parameters(), { rawQuery: 'x' }))).toBe('400 invalid_request query');
    expect((await stage.post(parameters(), { rawQuery: '' })).status).toBe(200);
    for (const contentType of [
      undefined,
      '',
      'application/json',
      'multipart/form-data',
      'text/plain',
      `${FORM}; charset=iso-8859-1`,
      `${FORM}, ${FORM}`,
      `${FORM};boundary=x`,
    ]) {
      expect(brief(await stage.post(parameters(), { contentType }))).toBe('400 invalid_request mediaType');
    }
    for (const contentType of [FORM.toUpperCase(), `${FORM};charset=utf-8`, `${FORM}; charset="UTF-8"`]) {
      expect((await stage.post(parameters(), { contentType })).status).toBe(200);
    }
    expect(brief(await stage.post(parameters(), { headers: { 'content-encoding': 'gzip' } }))).toBe(
      '400 invalid_request mediaType',
    );
  });

  it('S57: reads 16 KiB and no more', async () => {
    const body = encoded(parameters());
    const fill = 'x'.repeat(16 * 1024 - body.length - 3);
    expect((await stage.postText(`${body}&x=${fill}`)).status).toBe(200);
    expect(brief(await stage.postText(`${encoded(parameters())}&x=${fill}x`))).toBe('400 invalid_request size');
  });

  it('is authenticated in one way', async () => {
    expect(brief(await stage.post(parameters(), { headers: { authorization: 'Basic YTpi' } }))).toBe(
      '400 invalid_request authentication',
    );
    expect(brief(await stage.post(parameters({ client_secret: 'x' })))).toBe('400 invalid_request authentication');
    expect(
      brief(await stage.post({ grant_type: 'client_credentials', client_id: 'bank', client_secret: 'x' })),
    ).toMatch(/^401 invalid_client/);
    expect(stage.once.taken.size).toBe(0);
  });

  it.each(['GET', 'PUT', 'HEAD', 'OPTIONS', 'post', ''])('S60: there is nothing at %s', async method => {
    const response = await stage.post(parameters(), { method });
    expect(response.status).toBe(404);
    expect(response.headers['Cache-Control']).toBe('no-store');
  });

  it('I14: no answer and no note quotes what was sent', async () => {
    for (const fields of [
      parameters({ scope: 'canary' }),
      parameters({ grant_type: 'canary' }),
      parameters({ client_assertion_type: 'canary' }),
      parameters({ client_assertion: assertion({ sub: 'canary', iss: 'canary' }) }),
      parameters({ client_id: 'canary' }),
    ]) {
      const response = await stage.post(fields);
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify(response)).not.toMatch(/canary|eyJ/);
    }
  });
});
