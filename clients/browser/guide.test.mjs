// The guide of 2025, walked from top to bottom by a person with a browser and
// a terminal: the API key is gone, a private app takes its place, its token is
// tried, refused and rotated, and Lockstep is connected with it. Then an app is
// installed by OAuth into two accounts, through Lockstep's own callback.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { launch, need } from './browser.mjs'

const hubspot = need('SANDBOX_HUBSPOT')
const salesforce = need('SANDBOX_SALESFORCE')
const manage = need('SANDBOX_MANAGE')
const program = need('LOCKSTEP')

// The scopes that companies, contacts, deals and their owners need.
const scopes = ['crm.objects.companies.read', 'crm.objects.companies.write', 'crm.objects.contacts.read',
  'crm.objects.contacts.write', 'crm.objects.deals.read', 'crm.objects.deals.write', 'crm.objects.owners.read']

let browser, folder
before(async () => {
  browser = await launch()
  folder = await mkdtemp(join(tmpdir(), 'lockstep-guide-'))
})
after(() => browser?.close())

async function signIn(who = 'Sam Admin') {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
  const page = await context.newPage()
  await page.goto(hubspot)
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: who }).click()
  return page
}

async function copied(page) {
  await page.getByRole('button', { name: 'Copy' }).click()
  await page.getByRole('button', { name: 'Copied' }).waitFor()
  return page.evaluate(() => navigator.clipboard.readText())
}

const call = (token, path) => fetch(hubspot + path, { headers: { authorization: `Bearer ${token}` } })

// lockstep runs a command line in the folder, with a secret on stdin.
function lockstep(args, stdin = '') {
  return new Promise((done) => {
    const child = execFile(program, args, { cwd: folder, timeout: 60000 }, (problem, stdout, stderr) =>
      done({ code: problem ? problem.code : 0, stdout, stderr }))
    child.stdin.end(stdin)
  })
}

async function works(args, stdin) {
  const ran = await lockstep(args, stdin)
  assert.equal(ran.code, 0, `lockstep ${args.join(' ')}: ${ran.stdout}${ran.stderr}`)
  return ran
}

describe('the guide, with a private app', () => {
  let page, token, fresh
  before(async () => { page = await signIn() })
  after(() => page.context().close())

  test('1. the API key that the guide speaks of is gone', async () => {
    await page.getByRole('link', { name: 'API key' }).click()
    const main = page.getByRole('main')
    await main.getByText('API keys are gone.').waitFor()
    const pasted = await lockstep(['connect', 'hubspot', '--base-url', hubspot, '--token', '-'], '00000000-fa4e-4000-8000-000000000000\n')
    assert.notEqual(pasted.code, 0)
    assert.match(pasted.stderr, /API key .*ended on 30 November 2022/)
    await main.getByRole('link', { name: 'private app', exact: true }).click()
  })

  test('2. a private app is made with the scopes that are needed', async () => {
    await page.getByRole('link', { name: 'Create a private app' }).click()
    await page.getByLabel('Name').fill('Lockstep')
    for (const scope of scopes) await page.getByRole('checkbox', { name: `(${scope})` }).check()
    await page.getByRole('button', { name: 'Create private app' }).click()
    await page.getByRole('dialog', { name: 'Create Lockstep?' }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('It is ready.').waitFor()
    token = await copied(page)
    assert.match(token, /^pat-/)
  })

  test('3. its token gets 200, and 403 for a scope that it lacks', async () => {
    const contacts = await call(token, '/crm/v3/objects/contacts')
    assert.equal(contacts.status, 200)
    assert.ok((await contacts.json()).results.length > 0)
    const tickets = await call(token, '/crm/v3/objects/tickets')
    assert.equal(tickets.status, 403)
    const refused = await tickets.text()
    assert.match(refused, /tickets/)
    const told = await works(['diagnose', '-'], `HTTP/1.1 403 Forbidden\nContent-Type: application/json\n\n${refused}\n`)
    assert.match(told.stdout, /tickets/)
  })

  test('4. Lockstep is connected with it, and both systems come in step', async () => {
    const connected = await works(['connect', 'hubspot', '--base-url', hubspot, '--token', '-'], token + '\n')
    assert.match(connected.stdout, /Connected hubspot/)
    const app = await (await fetch(`${manage}/salesforce/apps`, { method: 'POST', body: JSON.stringify({ name: 'guide', flows: ['client_credentials'] }) })).json()
    await works(['connect', 'salesforce', '--login-url', salesforce, '--client-id', app.clientId, '--client-secret', '-'], app.clientSecret + '\n')
    await works(['init'])
    const check = await works(['check'])
    assert.match(check.stdout, /7 needed, 7 of them granted/)
    await works(['plan'])
    const run = JSON.parse((await works(['sync', '--json'])).stdout)
    assert.equal(run.closed, true)
    assert.equal(run.outcomes.failed, 0)
    assert.ok(run.outcomes.synced > 0)
    await works(['verify'])
  })

  test('5. after rotation the old token gets 401, and Lockstep says what to do', async () => {
    await page.getByRole('button', { name: 'Rotate and expire this token now' }).click()
    fresh = await copied(page)
    assert.equal((await call(token, '/crm/v3/objects/contacts')).status, 401)
    const refused = await lockstep(['sync'])
    assert.equal(refused.code, 3, refused.stderr)
    assert.match(refused.stderr, /next: .*\n/)
    assert.ok(!refused.stderr.includes(token))
    await works(['connect', 'hubspot', '--base-url', hubspot, '--token', '-'], fresh + '\n')
    const run = JSON.parse((await works(['sync', '--json'])).stdout)
    assert.equal(run.writes.total, 0)
  })
})

test('an OAuth app is installed into two accounts through Lockstep', async () => {
  const port = await freePort()
  const redirect = `http://localhost:${port}/callback`
  const file = { uid: 'guide_oauth', type: 'app', config: { name: 'Guide by OAuth', description: '', distribution: 'private',
    auth: { type: 'oauth', redirectUrls: [redirect], requiredScopes: ['oauth', ...scopes], optionalScopes: [] } } }
  const app = await (await fetch(`${manage}/hubspot/apps`, { method: 'POST', body: JSON.stringify(file) })).json()
  const { accounts } = await (await fetch(`${manage}/hubspot/accounts`)).json()
  assert.ok(accounts.length >= 2)
  const page = await signIn()
  for (const [i, account] of accounts.slice(0, 2).entries()) {
    const name = `customer-${i + 1}`
    const child = spawn(program, ['connect', 'hubspot', '--oauth', '--no-browser', '--name', name, '--base-url', hubspot,
      '--authorize-url', `${hubspot}/oauth/authorize`, '--port', String(port), '--client-id', app.clientId, '--client-secret', '-'], { cwd: folder })
    child.stdin.end(app.clientSecret + '\n')
    let talk = ''
    let out = ''
    child.stdout.on('data', (d) => { out += d })
    const address = await new Promise((found, lost) => {
      child.stderr.on('data', (d) => {
        talk += d
        const line = talk.match(/^(http\S*\/oauth\/authorize\S*)$/m)
        if (line && talk.endsWith('\n')) found(line[1])
      })
      child.on('exit', () => lost(new Error(talk)))
    })
    const ended = new Promise((done) => child.on('close', done))
    await page.goto(address)
    await page.getByRole('radio', { name: `Account ${account.portalId}` }).check()
    await page.getByRole('button', { name: 'Connect app' }).click()
    assert.equal(await ended, 0, talk)
    assert.match(out, new RegExp(`Connected ${name}: HubSpot account ${account.portalId}`))
    assert.ok(!(out + talk).includes(app.clientSecret))
  }
  const list = await works(['accounts', 'list'])
  for (const account of accounts.slice(0, 2)) assert.match(list.stdout, new RegExp(String(account.portalId)))
  await page.context().close()
})

// freePort finds a port for the callback.
function freePort() {
  return new Promise((done) => {
    const server = createServer()
    server.listen(0, 'localhost', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}
