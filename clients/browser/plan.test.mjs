// The page of a plan, as a manager opens it: a file that came by mail.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, need } from './browser.mjs'

const folder = need('FOLDER')
const address = 'file://' + join(folder, 'plan.html')
const lockstep = (args, input) => execFileSync(need('LOCKSTEP'), args, { cwd: folder, input, encoding: 'utf8' })

let browser, plan
before(async () => {
  lockstep(['connect', 'hubspot', '--base-url', need('SANDBOX_HUBSPOT'), '--token', '-', '--quiet'], readFileSync(join(folder, 'token')))
  lockstep(['connect', 'salesforce', '--login-url', need('SANDBOX_SALESFORCE'), '--client-id', need('CLIENT_ID'), '--client-secret', '-', '--quiet'], readFileSync(join(folder, 'client-secret')))
  lockstep(['init', '--quiet'])
  plan = JSON.parse(lockstep(['plan', '-o', 'plan.json', '--html', 'plan.html', '--json']))
  browser = await launch()
})
after(() => browser?.close())

// open shows the page and notes whatever it asks for or complains of.
async function open(options) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const asked = []
  const complaints = []
  page.on('request', (r) => { if (r.url() !== address) asked.push(r.url()) })
  page.on('console', (m) => complaints.push(m.text()))
  page.on('pageerror', (e) => complaints.push(String(e)))
  await page.goto(address)
  return { page, asked, complaints, close: () => context.close() }
}

test('it says what the plan says, and bears the hash of the sealed plan', async () => {
  const { page, close } = await open()
  const main = page.getByRole('main')
  await main.getByText(`${plan.writes} records would be written to`).waitFor()
  const people = plan.objects.find((o) => o.name === 'people')
  const cells = await main.getByRole('row', { name: /^people/ }).getByRole('cell').allTextContents()
  assert.equal(cells[0], String(people.creates.salesforce))
  assert.equal(cells[1], String(people.updates.salesforce))
  assert.equal(cells.at(-1), String(people.outcomes.held))
  const sealed = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'))
  await page.getByRole('contentinfo').getByText(sealed.sha256).waitFor()
  assert.equal(plan.sha256, sealed.sha256)
  await main.getByText(/The sync costs about [0-9]+ Salesforce calls? \(.* left to us today\) and [0-9]+ HubSpot calls?/).waitFor()
  await close()
})

test('what strangers wrote into their records stays text, and nothing is loaded', async () => {
  const { page, asked, complaints, close } = await open()
  await page.getByText("<script>document.title='run'</script>").first().waitFor()
  assert.match(await page.title(), /^What a sync of/)
  assert.deepEqual(asked, [])
  assert.deepEqual(complaints, [])
  assert.equal(await page.locator('script, img, link, iframe, [onerror]').count(), 0)
  await close()
})

test('it fits every width, and everything can be reached by keyboard', async () => {
  for (const width of [360, 768, 1280, 1920]) {
    const { page, close } = await open({ viewport: { width, height: 900 } })
    const wide = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(wide <= width, `at ${width} px the page is ${wide} px wide`)
    // What a manager has to know stands on the first screen of a desk.
    if (width >= 1280) {
      const box = await page.getByRole('row', { name: /^deals/ }).boundingBox()
      assert.ok(box.y + box.height < 900, `at ${width} px the overview ends at ${box.y + box.height}`)
    }
    await page.keyboard.press('Tab')
    await page.getByRole('link', { name: 'Skip to the details' }).waitFor()
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip')
    await close()
  }
})

test('its words have enough contrast in light and in dark', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const { page, close } = await open({ colorScheme })
    const poor = await page.evaluate(() => {
      const numbers = (c) => c.match(/[\d.]+/g).map(Number)
      const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
      const behind = (e) => {
        for (; e; e = e.parentElement) {
          const c = numbers(getComputedStyle(e).backgroundColor)
          if (c.length < 4 || c[3] > 0) return c
        }
        return [255, 255, 255]
      }
      const found = new Set()
      for (const e of document.querySelectorAll('body *')) {
        if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue
        const [a, b] = [light(numbers(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x)
        if ((a + 0.05) / (b + 0.05) < 4.5) found.add(`${e.tagName}.${e.className}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`)
      }
      return [...found]
    })
    assert.deepEqual(poor, [], colorScheme)
    await close()
  }
})

test('headings, lists and tables are what they look like', async () => {
  const { page, close } = await open()
  const levels = await page.locator('h1, h2, h3').evaluateAll((list) => list.map((h) => Number(h.tagName[1])))
  assert.equal(levels.filter((l) => l === 1).length, 1)
  levels.reduce((last, level) => { assert.ok(level <= last + 1, `a heading of level ${level} follows one of ${last}`); return level })
  const ids = await page.locator('[id]').evaluateAll((list) => list.map((e) => e.id))
  assert.equal(new Set(ids).size, ids.length, 'an id stands twice')
  for (const target of await page.locator('a[href^="#"]').evaluateAll((list) => list.map((a) => a.getAttribute('href').slice(1)))) {
    assert.ok(ids.includes(target), `a link leads to #${target}, which is not there`)
  }
  await close()
})

test('it prints on light paper, whole, with what was folded', async () => {
  const { page, close } = await open({ colorScheme: 'dark' })
  await page.locator('details').first().evaluate((d) => { d.open = false })
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)')
  assert.ok(await page.locator('details').first().locator('.thing').first().evaluate((e) => e.getBoundingClientRect().height > 0), 'what was folded is not printed')
  const file = join(folder, 'plan.pdf')
  await page.pdf({ path: file, format: 'A4', printBackground: true })
  assert.ok(statSync(file).size > 20_000)
  await close()
})
