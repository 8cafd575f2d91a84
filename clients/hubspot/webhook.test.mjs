// A delivery of the sandbox, checked by the vendor's own Node code.
import { Client, Signature } from '@hubspot/api-client'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { address, ask, client, unique } from './sandbox.mjs'

let server, targetUrl
const arrived = []
let more = () => {}
before(async () => {
  server = createServer(async (request, answer) => {
    let body = ''
    for await (const part of request) body += part
    arrived.push({ request, body })
    answer.writeHead(arrived.length === 1 ? 503 : 204).end()
    more()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  targetUrl = `http://127.0.0.1:${server.address().port}/hooks?app=sync`
})
after(() => server.close())

// delivery waits for the nth request, from 1.
async function delivery(n) {
  while (arrived.length < n) await new Promise((resolve) => (more = resolve))
  return arrived[n - 1]
}

function valid({ request, body }, clientSecret, version) {
  return Signature.isValid({
    signatureVersion: version,
    signature: request.headers[version === 'v3' ? 'x-hubspot-signature-v3' : 'x-hubspot-signature'],
    method: request.method,
    clientSecret,
    requestBody: body,
    url: targetUrl,
    timestamp: Number(request.headers['x-hubspot-request-timestamp']),
  })
}

test("a private app's delivery passes Signature.isValid, and so does its repetition", async () => {
  const { appId } = await ask('POST', '/hubspot/tokens', { kind: 'private-app', name: 'hears', scopes: ['crm.objects.contacts.read'] })
  const { clientSecret } = await ask('PUT', `/hubspot/apps/${appId}/webhooks`, { targetUrl, subscriptions: [{ eventType: 'contact.creation' }] })
  const hubspot = await client()
  const made = await hubspot.crm.contacts.basicApi.create({ properties: { email: `${unique('hook')}@acme.example` }, associations: [] })
  const first = await delivery(1)
  assert.equal(valid(first, clientSecret, 'v1'), true)
  assert.equal(valid(first, clientSecret, 'v3'), true)
  assert.equal(valid({ ...first, body: `${first.body} ` }, clientSecret, 'v3'), false)
  assert.equal(valid(first, 'another secret', 'v3'), false)
  const [event] = JSON.parse(first.body)
  assert.equal(event.subscriptionType, 'contact.creation')
  assert.equal(event.objectId, Number(made.id))
  assert.equal(event.changeSource, 'INTEGRATION')
  assert.equal(event.attemptNumber, 0)

  while ((await ask('GET', '/hubspot/webhooks')).apps[0].failed < 1); // the answer was read
  await ask('POST', '/clock', { advance: '2m' })
  const again = await delivery(2)
  assert.equal(valid(again, clientSecret, 'v3'), true)
  assert.equal(JSON.parse(again.body)[0].attemptNumber, 1)
  await ask('DELETE', `/hubspot/apps/${appId}/webhooks`)
})

test("the developer's key manages the webhooks of an OAuth app", async () => {
  const { apps, developerApiKey } = await ask('GET', '/hubspot/apps')
  const { appId } = apps.find((a) => a.auth === 'oauth')
  const developer = new Client({ developerApiKey, basePath: address })
  const { settingsApi, subscriptionsApi } = developer.webhooks
  const settings = await settingsApi.configure(appId, { targetUrl, throttling: { maxConcurrentRequests: 10 } })
  assert.equal(settings.targetUrl, targetUrl)
  assert.ok(settings.createdAt instanceof Date)
  const made = await subscriptionsApi.create(appId, { eventType: 'deal.propertyChange', propertyName: 'amount', active: true })
  assert.equal(made.active, true)
  assert.equal((await subscriptionsApi.getAll(appId)).results.length, 1)
  assert.equal((await subscriptionsApi.update(made.id, appId, { active: false })).active, false)
  assert.equal((await subscriptionsApi.updateBatch(appId, { inputs: [{ id: Number(made.id), active: true }] })).results[0].active, true)
  await subscriptionsApi.archive(made.id, appId)
  assert.deepEqual((await subscriptionsApi.getAll(appId)).results, [])
  await settingsApi.clear(appId)
})
