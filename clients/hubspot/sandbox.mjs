// What the tests need of a running sandbox: where its ports are, and tokens.
import { Client } from '@hubspot/api-client'

export const address = need('SANDBOX_HUBSPOT')
const manage = need('SANDBOX_MANAGE')
export const smallDay = { address: need('SANDBOX_SMALL_DAY_HUBSPOT'), manage: need('SANDBOX_SMALL_DAY_MANAGE') }

function need(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run these tests with "go test -tags clients ./clients", which starts a sandbox`)
  return value.replace(/\/$/, '')
}

// ask calls the management port.
export async function ask(method, path, body, port = manage) {
  const answer = await fetch(port + path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return text ? JSON.parse(text) : undefined
}

export const everyScope = [
  ...['contacts', 'companies', 'deals', 'products', 'line_items', 'custom'].flatMap((x) => [`crm.objects.${x}.read`, `crm.objects.${x}.write`]),
  ...['contacts', 'companies', 'deals', 'custom'].flatMap((x) => [`crm.schemas.${x}.read`, `crm.schemas.${x}.write`]),
  'crm.objects.owners.read', 'tickets', 'e-commerce', 'sales-email-read', 'crm.lists.read', 'crm.lists.write',
]

// token makes a token with just these scopes.
export async function token(scopes = everyScope, port = manage) {
  return (await ask('POST', '/hubspot/tokens', { kind: 'private-app', name: 'client test', scopes }, port)).token
}

// client makes the vendor's client; retries as the vendor's own code does them.
export async function client({ scopes, accessToken, retries = 0, at = address } = {}) {
  return new Client({ accessToken: accessToken ?? (await token(scopes)), basePath: at, numberOfApiCallRetries: retries })
}

// refused runs a call that must fail and returns the vendor's ApiException.
export async function refused(call) {
  try {
    await call
  } catch (problem) {
    if (typeof problem.code !== 'number') throw problem
    return { code: problem.code, body: problem.body, headers: problem.headers }
  }
  throw new Error('the call succeeded, and should have been refused')
}

let last = 0
// unique makes a value that no other test uses.
export const unique = (word) => `${word}${process.pid}${++last}`
