// Makes the tokens of the guide's environment and runs the collection with newman.
import newman from 'newman'
import { readFile } from 'node:fs/promises'

const manage = process.env.SANDBOX_MANAGE
const token = async (name, scopes) => {
  const answer = await fetch(`${manage}/hubspot/tokens`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kind: 'private-app', name, scopes }),
  })
  if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`)
  return (await answer.json()).token
}

const read = async (name) => JSON.parse(await readFile(new URL(name, import.meta.url)))
const environment = await read('guide.postman_environment.json')
const set = (key, value) => { environment.values.find((v) => v.key === key).value = value }
set('baseUrl', process.env.SANDBOX_HUBSPOT)
set('accessToken', await token('guide', ['crm.objects.contacts.read', 'crm.objects.contacts.write']))
set('companiesToken', await token('no contacts', ['crm.objects.companies.read']))

newman.run({ collection: await read('guide.postman_collection.json'), environment, reporters: 'cli' }, (problem, summary) => {
  const { assertions, requests } = summary?.run.stats ?? {}
  if (problem || summary.run.failures.length || summary.error || !assertions?.total || requests.failed) {
    console.error(problem ?? summary.error ?? `${summary.run.failures.length} failures`)
    process.exitCode = 1
  }
})
