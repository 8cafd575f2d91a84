// An administrator's way through Salesforce's set-up, in a real browser: an
// External Client App is made and allowed, its refresh token rotates, and one
// that was used before ends the whole chain. Then a permission set is deployed
// and given to the integration user.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { launch, need } from './browser.mjs'

const org = need('SANDBOX_SALESFORCE')
const manage = need('SANDBOX_MANAGE')
const administrator = 'admin@lockstep-dev-ed.example'
const run = randomBytes(4).toString('hex')

let browser
before(async () => { browser = await launch() })
after(() => browser?.close())

// newPage is a page of a browser that nobody is signed in with.
async function newPage(viewport = { width: 1280, height: 800 }) {
  const page = await (await browser.newContext({ viewport })).newPage()
  page.complaints = []
  page.on('console', (m) => { if (m.type() === 'error' && !/40[0-9]/.test(m.text())) page.complaints.push(m.text()) })
  page.on('pageerror', (problem) => page.complaints.push(String(problem)))
  return page
}

// logIn types what the login page shows, by keyboard alone.
async function logIn(page, username = administrator) {
  const password = await page.getByRole('row', { name: username }).getByRole('cell').nth(1).innerText()
  await page.getByLabel('Username').focus()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type(username)
  await page.keyboard.press('Tab')
  await page.keyboard.type(password)
  await page.keyboard.press('Enter')
}

// listen is an app's loopback address; came gives what the browser brought.
async function listen() {
  let arrived
  const came = new Promise((resolve) => { arrived = resolve })
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<h1>You may close this page</h1>')
    const url = new URL(request.url, 'http://localhost')
    if (url.pathname === '/callback') arrived(url.searchParams)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  return { callback: `http://127.0.0.1:${port}/callback`, came, close: () => server.close() }
}

async function token(form) {
  const answer = await fetch(`${org}/services/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) })
  return { status: answer.status, ...(await answer.json()) }
}

const limits = (accessToken) => fetch(`${org}/services/data/v68.0/limits`, { headers: { authorization: `Bearer ${accessToken}` } })

// makeApp fills the form of a new External Client App and reads key and secret.
async function makeApp(page, name, callback) {
  await page.getByRole('link', { name: 'Setup' }).click()
  await page.getByRole('link', { name: 'External Client App Manager' }).click()
  await page.getByRole('link', { name: 'New External Client App' }).click()
  await page.getByLabel('External Client App name').fill(name)
  await page.getByLabel('Callback URLs').fill(callback)
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByRole('link', { name: 'Consumer key and secret' }).click()
  return { key: await page.getByLabel('Consumer key').inputValue(), secret: await page.getByLabel('Consumer secret').inputValue() }
}

test('an app is made, allowed, refreshed twice, and a token used again ends its chain', async () => {
  const page = await newPage()
  await page.goto(`${org}/login`)
  await logIn(page)
  await page.getByRole('heading', { name: 'Objects', exact: true }).waitFor()
  const app = await listen()
  const { key, secret } = await makeApp(page, `Sync ${run}`, app.callback)

  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(8).toString('hex')
  const ask = new URL(`${org}/services/oauth2/authorize`)
  ask.search = new URLSearchParams({
    response_type: 'code', client_id: key, redirect_uri: app.callback, scope: 'api refresh_token', state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  })
  const stranger = await newPage({ width: 380, height: 700 })
  await stranger.goto(ask.href)
  await logIn(stranger)
  await stranger.getByRole('heading', { name: 'Allow access?' }).waitFor()
  assert.deepEqual(await stranger.locator('ul.scopes li').allInnerTexts(),
    ['Manage user data via APIs (api)', 'Perform requests at any time, also when you are away (refresh_token)'])
  await stranger.getByRole('button', { name: 'Allow' }).focus()
  await stranger.keyboard.press('Enter')
  const back = await app.came
  assert.equal(back.get('state'), state)
  await stranger.getByRole('heading', { name: 'You may close this page' }).waitFor()

  const exchange = { grant_type: 'authorization_code', code: back.get('code'), client_id: key, client_secret: secret, redirect_uri: app.callback }
  assert.equal((await token({ ...exchange, code_verifier: 'fake-other-verifier' })).error, 'invalid_grant')
  const first = await token({ ...exchange, code_verifier: verifier })
  assert.equal(first.status, 200)
  assert.equal((await limits(first.access_token)).status, 200)
  assert.equal((await token({ ...exchange, code_verifier: verifier })).error_description, 'expired authorization code')

  const refresh = (refreshToken) => token({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: key, client_secret: secret })
  const second = await refresh(first.refresh_token)
  const third = await refresh(second.refresh_token)
  assert.equal(new Set([first.refresh_token, second.refresh_token, third.refresh_token]).size, 3)
  assert.equal((await limits(third.access_token)).status, 200)

  await page.goto(`${org}/setup/sessions`)
  const revoke = page.getByRole('button', { name: `Revoke Sync ${run}` })
  await revoke.waitFor()

  const again = await refresh(first.refresh_token)
  assert.deepEqual([again.status, again.error], [400, 'invalid_grant'])
  assert.equal((await refresh(third.refresh_token)).error, 'invalid_grant', 'the newest token of the chain')
  for (const one of [first, second, third]) assert.equal((await limits(one.access_token)).status, 401, 'every access token of the chain')
  await page.reload()
  assert.equal(await revoke.count(), 0)
  app.close()
  assert.deepEqual([...page.complaints, ...stranger.complaints], [])
})

test('who says no sends the app away, and another user cannot make apps', async () => {
  const page = await newPage()
  await page.goto(`${org}/login`)
  await logIn(page)
  const app = await listen()
  const { key } = await makeApp(page, `Unwanted ${run}`, app.callback)
  await page.goto(`${org}/services/oauth2/authorize?${new URLSearchParams({
    response_type: 'code', client_id: key, redirect_uri: app.callback, code_challenge: createHash('sha256').update('x').digest('base64url') })}`)
  await page.getByRole('button', { name: 'Deny' }).click()
  const back = await app.came
  assert.equal(back.get('error'), 'access_denied')

  const other = await newPage()
  await other.goto(`${org}/setup/external-client-apps/new`)
  await logIn(other, 'integration@lockstep-dev-ed.example')
  await other.getByRole('heading', { name: 'Insufficient privileges' }).waitFor()
  assert.match(await other.getByRole('main').innerText(), new RegExp(administrator))
  app.close()
  assert.deepEqual([...page.complaints, ...other.complaints], [])
})

test('connected apps exist, and a new one is refused with the reason', async () => {
  const page = await newPage()
  await page.goto(`${org}/setup/connected-apps`)
  await logIn(page)
  await page.getByRole('link', { name: 'HubSpot connector (2021)' }).waitFor()
  await page.getByRole('button', { name: 'New Connected App' }).click()
  assert.match(await page.getByRole('alert').innerText(), /cannot be created any more.*Since Spring ’26/s)
  assert.deepEqual(page.complaints, [])
})

test('a permission set file is refused by name, deployed, and gives a minimum access user its fields', async () => {
  const file = (field) => `<?xml version="1.0" encoding="UTF-8"?>
<PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata"><label>Walk ${run}</label>
<fieldPermissions><editable>true</editable><field>${field}</field><readable>true</readable></fieldPermissions>
<objectPermissions><allowCreate>true</allowCreate><allowEdit>true</allowEdit><allowRead>true</allowRead><object>Lead</object></objectPermissions>
<userPermissions><enabled>true</enabled><name>ApiEnabled</name></userPermissions></PermissionSet>`
  const page = await newPage({ width: 380, height: 700 })
  await page.goto(`${org}/setup/permission-sets`)
  await logIn(page)
  await page.getByLabel('or paste it').fill(file('Lead.Gone__c'))
  await page.getByRole('button', { name: 'Deploy' }).click()
  assert.match(await page.getByRole('alert').innerText(), /no CustomField named Lead\.Gone__c found/)
  await page.getByLabel('File', { exact: true }).setInputFiles({ name: 'Walk.permissionset-meta.xml', mimeType: 'text/xml', buffer: Buffer.from(file('Lead.Phone')) })
  await page.getByRole('button', { name: 'Deploy' }).click()
  await page.getByRole('button', { name: 'Assign to integration@' }).click()
  await page.getByRole('button', { name: 'Remove from integration@' }).waitFor()

  await page.goto(`${org}/setup/users`)
  await page.getByRole('combobox', { name: 'Profile of integration@' }).selectOption('Minimum Access - Salesforce')
  await page.getByRole('button', { name: 'Save profile of integration@' }).click()
  const session = await (await fetch(`${manage}/salesforce/tokens`, { method: 'POST' })).json()
  const describe = await fetch(`${org}/services/data/v68.0/sobjects/Lead/describe`, { headers: { authorization: `Bearer ${session.token}` } })
  const seen = (await describe.json()).fields.map((f) => f.name)
  assert.deepEqual(['LastName', 'Phone', 'Title'].map((name) => seen.includes(name)), [true, true, false])
  assert.deepEqual(page.complaints, [])
})

test('every page fits a narrow and a wide window', async () => {
  for (const width of [380, 1280]) {
    const page = await newPage({ width, height: 800 })
    await page.goto(`${org}/login`)
    await logIn(page)
    await page.getByRole('link', { name: 'Setup' }).waitFor()
    for (const path of ['/', '/login', '/setup', '/setup/external-client-apps', '/setup/external-client-apps/new', '/setup/connected-apps',
      '/setup/permission-sets', '/setup/users', '/setup/sessions', '/services/oauth2/authorize?client_id=fake']) {
      await page.goto(org + path)
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      assert.ok(over <= 0, `${path} is ${over} pixels too wide for ${width}`)
      const nameless = await page.locator('input:not([type=hidden]), select, textarea, button').evaluateAll((all) =>
        all.filter((e) => !(e.labels?.length || e.getAttribute('aria-label') || e.innerText?.trim())).map((e) => e.outerHTML))
      assert.deepEqual(nameless, [], `${path} has a control without a name`)
    }
  }
})
