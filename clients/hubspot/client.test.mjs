// The vendor's own Node client, unmodified, against the sandbox.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { address, ask, client, refused, smallDay, token, unique } from './sandbox.mjs'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const plainContactToCompany = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }]

let hubspot
before(async () => {
  hubspot = await client({ retries: 6 })
})

const newContact = (properties = {}) =>
  hubspot.crm.contacts.basicApi.create({ properties: { email: `${unique('person')}@acme.example`, lastname: 'Fischer', ...properties }, associations: [] })
const newCompany = (properties = {}) =>
  hubspot.crm.companies.basicApi.create({ properties: { name: unique('Company '), ...properties }, associations: [] })

describe('one record', () => {
  test('is created with the properties that HubSpot adds', async () => {
    const email = `${unique('Ada')}@Acme.example`
    const made = await newContact({ email, firstname: 'Ada' })
    assert.match(made.id, /^\d{10,12}$/)
    assert.equal(made.properties.email, email.toLowerCase())
    assert.equal(made.properties.firstname, 'Ada')
    assert.equal(made.properties.lifecyclestage, 'lead')
    assert.equal(made.properties.hs_email_domain, 'acme.example')
    assert.equal(made.properties.hs_object_source, 'INTEGRATION')
    assert.equal(made.archived, false)
    assert.ok(made.createdAt instanceof Date)
  })

  test('is read with what was asked for: unset is null, unknown is left out', async () => {
    const made = await newContact({ city: 'Zürich' })
    const read = await hubspot.crm.contacts.basicApi.getById(made.id, ['city', 'phone', 'no_such_property'], ['city'])
    assert.equal(read.properties.city, 'Zürich')
    assert.equal(read.properties.phone, null)
    assert.ok(!('no_such_property' in read.properties))
    assert.equal(read.properties.hs_object_id, made.id)
    assert.equal(read.propertiesWithHistory.city[0].value, 'Zürich')
    assert.equal(read.propertiesWithHistory.city[0].sourceType, 'INTEGRATION')
  })

  test('is found by e-mail', async () => {
    const made = await newContact()
    const read = await hubspot.crm.contacts.basicApi.getById(made.properties.email, undefined, undefined, undefined, false, 'email')
    assert.equal(read.id, made.id)
  })

  test('is updated, and its stamp moves', async () => {
    const made = await newContact({ jobtitle: 'Engineer' })
    const changed = await hubspot.crm.contacts.basicApi.update(made.id, { properties: { jobtitle: 'Head of Engineering', phone: '' } })
    assert.equal(changed.properties.jobtitle, 'Head of Engineering')
    assert.ok(changed.updatedAt >= made.updatedAt)
  })

  test('is archived and then only seen among the archived', async () => {
    const made = await newContact()
    await hubspot.crm.contacts.basicApi.archive(made.id)
    assert.equal((await refused(hubspot.crm.contacts.basicApi.getById(made.id))).code, 404)
    const archived = await hubspot.crm.contacts.basicApi.getById(made.id, undefined, undefined, undefined, true)
    assert.equal(archived.archived, true)
    assert.ok(archived.archivedAt instanceof Date)
  })

  test('of a deal gets pipeline, close date and sums from its stage', async () => {
    const deal = await hubspot.crm.deals.basicApi.create({ properties: { dealname: 'Robots', dealstage: 'closedwon', amount: '1500.50' }, associations: [] })
    assert.equal(deal.properties.pipeline, 'default')
    const read = await hubspot.crm.deals.basicApi.getById(deal.id, ['hs_is_closed_won', 'closedate', 'hs_closed_amount'])
    assert.equal(read.properties.hs_is_closed_won, 'true')
    assert.equal(read.properties.hs_closed_amount, '1500.50')
    assert.ok(read.properties.closedate)
  })

  test('merged with another becomes a new one, to which both ids lead', async () => {
    const [first, second] = [await newContact({ city: 'Bern' }), await newContact({ city: 'Basel', zip: '4001' })]
    const merged = await hubspot.crm.contacts.basicApi.merge({ primaryObjectId: first.id, objectIdToMerge: second.id })
    assert.ok(![first.id, second.id].includes(merged.id))
    const read = await hubspot.crm.contacts.basicApi.getById(second.id, ['city', 'zip', 'hs_merged_object_ids'])
    assert.equal(read.id, merged.id)
    assert.equal(read.properties.city, 'Bern')
    assert.equal(read.properties.zip, '4001')
    assert.equal(read.properties.hs_merged_object_ids, `${first.id};${second.id}`)
  })

  test('erased for privacy is gone for good', async () => {
    const made = await newContact()
    await hubspot.crm.contacts.basicApi.purge({ objectId: made.id })
    assert.equal((await refused(hubspot.crm.contacts.basicApi.getById(made.id, undefined, undefined, undefined, true))).code, 404)
  })
})

describe('pages', () => {
  test('join without a gap, in ascending order of id', async () => {
    for (let i = 0; i < 3; i++) await newCompany()
    const first = await hubspot.crm.companies.basicApi.getPage(2)
    assert.equal(first.results.length, 2)
    const second = await hubspot.crm.companies.basicApi.getPage(2, first.paging.next.after)
    const ids = [...first.results, ...second.results].map((r) => BigInt(r.id))
    assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => (a < b ? -1 : 1)))
    assert.match(first.paging.next.link, /after=/)
  })

  test('are all fetched by getAll', async () => {
    const all = await hubspot.crm.companies.getAll()
    const searched = await hubspot.crm.companies.searchApi.doSearch({ limit: 1 })
    assert.equal(all.length, searched.total)
  })
})

describe('batches', () => {
  test('create, read, update and archive', async () => {
    const names = [unique('A '), unique('B ')]
    const made = await hubspot.crm.companies.batchApi.create({ inputs: names.map((name) => ({ properties: { name }, associations: [] })) })
    assert.equal(made.status, 'COMPLETE')
    assert.deepEqual(made.results.map((r) => r.properties.name).sort(), names)
    const inputs = made.results.map(({ id }) => ({ id }))
    const changed = await hubspot.crm.companies.batchApi.update({ inputs: inputs.map((i) => ({ ...i, properties: { city: 'Oslo' } })) })
    assert.ok(changed.results.every((r) => r.properties.city === 'Oslo'))
    const read = await hubspot.crm.companies.batchApi.read({ inputs, properties: ['name', 'city'], propertiesWithHistory: [] })
    assert.deepEqual(read.results.map((r) => r.properties.name).sort(), names)
    await hubspot.crm.companies.batchApi.archive({ inputs })
    const gone = await hubspot.crm.companies.batchApi.read({ inputs, properties: [], propertiesWithHistory: [] })
    assert.equal(gone.results.length, 0)
    assert.equal(gone.numErrors, 1)
  })

  test('read with a missing id answers 207 with both', async () => {
    const made = await newCompany()
    const read = await hubspot.crm.companies.batchApi.read({ inputs: [{ id: made.id }, { id: '4711' }], properties: ['name'], propertiesWithHistory: [] })
    assert.equal(read.results.length, 1)
    assert.equal(read.errors[0].category, 'OBJECT_NOT_FOUND')
    assert.deepEqual(read.errors[0].context.ids, ['4711'])
  })

  test('upsert by e-mail says which are new', async () => {
    const known = await newContact()
    const fresh = `${unique('new')}@acme.example`
    const done = await hubspot.crm.contacts.batchApi.upsert({
      inputs: [known.properties.email, fresh].map((id) => ({ id, idProperty: 'email', properties: { email: id, city: 'Turin' } })),
    })
    const byEmail = Object.fromEntries(done.results.map((r) => [r.properties.email, r]))
    assert.equal(byEmail[known.properties.email].id, known.id)
    assert.equal(byEmail[known.properties.email]._new, false)
    assert.equal(byEmail[fresh]._new, true)
  })

  test('with trace ids keep the good inputs and name the bad ones', async () => {
    const done = await hubspot.crm.companies.batchApi.create({
      inputs: [
        { properties: { name: unique('Good ') }, associations: [], objectWriteTraceId: 'good' },
        { properties: { name: unique('Bad '), industry: 'ROCKETS' }, associations: [], objectWriteTraceId: 'bad' },
      ],
    })
    assert.equal(done.results.length, 1)
    assert.equal(done.results[0].objectWriteTraceId, 'good')
    assert.deepEqual(done.errors[0].context.objectWriteTraceId, ['bad'])
  })

  test('without trace ids fail as one', async () => {
    const name = unique('Lost ')
    const no = await refused(hubspot.crm.companies.batchApi.create({ inputs: [{ properties: { name }, associations: [] }, { properties: { nope: '1', name }, associations: [] }] }))
    assert.equal(no.code, 400)
    const found = await hubspot.crm.companies.searchApi.doSearch({ filterGroups: [{ filters: [{ propertyName: 'name', operator: 'EQ', value: name }] }] })
    assert.equal(found.total, 0)
  })
})

describe('search', () => {
  test('filters, sorts and pages', async () => {
    const town = unique('Town')
    for (const firstname of ['Carla', 'Anna', 'Berta']) await newContact({ firstname, city: town })
    const body = { filterGroups: [{ filters: [{ propertyName: 'city', operator: 'EQ', value: town }] }], sorts: ['firstname'], properties: ['firstname'], limit: 2 }
    const first = await hubspot.crm.contacts.searchApi.doSearch(body)
    assert.equal(first.total, 3)
    assert.deepEqual(first.results.map((r) => r.properties.firstname), ['Anna', 'Berta'])
    const second = await hubspot.crm.contacts.searchApi.doSearch({ ...body, after: first.paging.next.after })
    assert.deepEqual(second.results.map((r) => r.properties.firstname), ['Carla'])
    assert.equal(second.paging, undefined)
  })

  test('finds by IN, by token and by free text', async () => {
    const word = unique('zeppelin')
    const made = await newCompany({ name: `Graf ${word} Werke` })
    const find = async (body) => (await hubspot.crm.companies.searchApi.doSearch(body)).results.map((r) => r.id)
    const by = (filter) => ({ filterGroups: [{ filters: [filter] }] })
    assert.deepEqual(await find(by({ propertyName: 'hs_object_id', operator: 'IN', values: [made.id] })), [made.id])
    assert.deepEqual(await find(by({ propertyName: 'name', operator: 'CONTAINS_TOKEN', value: `*${word.slice(4)}` })), [made.id])
    assert.deepEqual(await find({ query: word }), [made.id])
  })

  test('ends at ten thousand results', async () => {
    const no = await refused(hubspot.crm.contacts.searchApi.doSearch({ after: '10000', limit: 1 }))
    assert.equal(no.code, 400)
    assert.equal(no.body.message, 'There was a problem with the request.')
  })
})

describe('associations', () => {
  test('are made with a record and shown with it', async () => {
    const company = await newCompany()
    const contact = await hubspot.crm.contacts.basicApi.create({
      properties: { email: `${unique('with')}@acme.example` },
      associations: [{ to: { id: company.id }, types: plainContactToCompany }],
    })
    const read = await hubspot.crm.contacts.basicApi.getById(contact.id, ['associatedcompanyid'], undefined, ['companies'])
    assert.equal(read.properties.associatedcompanyid, company.id)
    assert.deepEqual(read.associations.companies.results.map(({ id, type }) => [id, type]), [
      [company.id, 'contact_to_company'],
      [company.id, 'contact_to_company_unlabeled'],
    ])
  })

  test('carry labels that were defined', async () => {
    const [contact, deal] = [await newContact(), await hubspot.crm.deals.basicApi.create({ properties: { dealname: unique('Deal '), dealstage: 'contractsent' }, associations: [] })]
    const label = unique('Decider ')
    const defined = await hubspot.crm.associations.v4.schema.definitionsApi.create('deals', 'contacts', { label, name: label.toLowerCase().replace(' ', '_'), inverseLabel: 'Decides' })
    const set = await hubspot.crm.associations.v4.basicApi.create('deals', deal.id, 'contacts', contact.id, [{ associationCategory: 'USER_DEFINED', associationTypeId: defined.results[0].typeId }])
    assert.deepEqual(set.labels, [label])
    const page = await hubspot.crm.associations.v4.basicApi.getPage('deals', deal.id, 'contacts')
    assert.equal(String(page.results[0].toObjectId), contact.id)
    assert.deepEqual(page.results[0].associationTypes.map((t) => t.label).filter(Boolean), [label])
    const all = await hubspot.crm.associations.v4.schema.definitionsApi.getAll('deals', 'contacts')
    assert.ok(all.results.some((t) => t.label === label && t.category === 'USER_DEFINED'))
  })

  test('are set, read and removed in batches', async () => {
    const [contact, lonely, company] = [await newContact(), await newContact(), await newCompany()]
    await hubspot.crm.associations.v4.batchApi.createDefault('contacts', 'companies', { inputs: [{ _from: { id: contact.id }, to: { id: company.id } }] })
    const read = await hubspot.crm.associations.v4.batchApi.getPage('contacts', 'companies', { inputs: [{ id: contact.id }, { id: lonely.id }] })
    assert.equal(read.results.length, 1)
    assert.equal(read.results[0]._from.id, contact.id)
    assert.equal(read.errors[0].subCategory, 'crm.associations.NO_ASSOCIATIONS_FOUND')
    await hubspot.crm.associations.v4.batchApi.archive('contacts', 'companies', { inputs: [{ _from: { id: contact.id }, to: [{ id: company.id }] }] })
    const after = await hubspot.crm.associations.v4.basicApi.getPage('contacts', contact.id, 'companies')
    assert.deepEqual(after.results, [])
  })
})

describe('definitions', () => {
  test('HubSpot\'s own properties are there', async () => {
    const { results } = await hubspot.crm.properties.coreApi.getAll('contacts')
    const byName = Object.fromEntries(results.map((p) => [p.name, p]))
    assert.ok(results.length > 80)
    assert.equal(byName.email.type, 'string')
    assert.equal(byName.createdate.modificationMetadata.readOnlyValue, true)
    assert.equal(byName.hubspot_owner_id.referencedObjectType, 'OWNER')
    assert.deepEqual(byName.lifecyclestage.options.map((o) => o.value).slice(0, 2), ['subscriber', 'lead'])
  })

  test('a property is made, changed, used and archived', async () => {
    const name = unique('level')
    const made = await hubspot.crm.properties.coreApi.create('contacts', {
      name, label: 'Level', type: 'enumeration', fieldType: 'select', groupName: 'contactinformation',
      options: [{ label: 'Gold', value: 'gold', displayOrder: 0, hidden: false }],
    })
    assert.equal(made.hubspotDefined, undefined)
    const more = await hubspot.crm.properties.coreApi.update('contacts', name, {
      options: [{ label: 'Gold', value: 'gold', hidden: false }, { label: 'Silver', value: 'silver', hidden: false }],
    })
    assert.deepEqual(more.options.map((o) => o.value), ['gold', 'silver'])
    assert.equal((await newContact({ [name]: 'silver' })).properties[name], 'silver')
    await hubspot.crm.properties.coreApi.archive('contacts', name)
    assert.equal((await refused(hubspot.crm.properties.coreApi.getByName('contacts', name))).code, 404)
  })

  test('groups are listed', async () => {
    const { results } = await hubspot.crm.properties.groupsApi.getAll('companies')
    assert.ok(results.some((g) => g.name === 'companyinformation' && g.label === 'Company Information'))
  })

  test('owners have an id that is not their user id', async () => {
    const { results } = await hubspot.crm.owners.ownersApi.getPage()
    assert.ok(results.length > 0)
    assert.notEqual(results[0].id, String(results[0].userId))
    const one = await hubspot.crm.owners.ownersApi.getById(Number(results[0].id))
    assert.equal(one.email, results[0].email)
    const byEmail = await hubspot.crm.owners.ownersApi.getPage(results[0].email)
    assert.deepEqual(byEmail.results.map((o) => o.id), [results[0].id])
  })

  test('pipelines have stages with probabilities as text', async () => {
    const { results } = await hubspot.crm.pipelines.pipelinesApi.getAll('deals')
    const sales = results.find((p) => p.id === 'default')
    assert.equal(sales.label, 'Sales Pipeline')
    const won = sales.stages.find((s) => s.id === 'closedwon')
    assert.deepEqual([won.metadata.probability, won.metadata.isClosed], ['1.0', 'true'])
  })

  test('a custom object is defined, filled and searched', async () => {
    const name = unique('robot')
    const schema = await hubspot.crm.schemas.coreApi.create({
      name, labels: { singular: 'Robot', plural: 'Robots' }, primaryDisplayProperty: 'model', requiredProperties: ['model'], searchableProperties: ['model'],
      secondaryDisplayProperties: [], associatedObjects: ['CONTACT'],
      properties: [{ name: 'model', label: 'Model', type: 'string', fieldType: 'text', hasUniqueValue: true }],
    })
    assert.match(schema.objectTypeId, /^2-\d+$/)
    const made = await hubspot.crm.objects.basicApi.create(schema.objectTypeId, { properties: { model: 'R2' }, associations: [] })
    const found = await hubspot.crm.objects.searchApi.doSearch(schema.fullyQualifiedName, { query: 'r2' })
    assert.deepEqual(found.results.map((r) => r.id), [made.id])
    const no = await refused(hubspot.crm.objects.basicApi.create(name, { properties: { model: 'R2' }, associations: [] }))
    assert.equal(no.code, 400)
    assert.match(no.body.message, /already has that value/)
  })
})

describe('what is refused', () => {
  let strict
  before(async () => {
    strict = await client()
  })

  test('400 lists every bad property by code', async () => {
    const no = await refused(strict.crm.contacts.basicApi.create({
      properties: { email: 'nobody@nowhere.invalid', no_such: '1', createdate: '1', hs_lead_status: 'new', hubspot_owner_id: '1', closedate: 'soon', firstname: 'see www.spam.com' },
      associations: [],
    }))
    assert.equal(no.code, 400)
    assert.equal(no.body.category, 'VALIDATION_ERROR')
    const codes = Object.fromEntries(no.body.errors.map((e) => [e.context.propertyName[0], e.code]))
    assert.deepEqual(codes, {
      email: 'INVALID_EMAIL', no_such: 'PROPERTY_DOESNT_EXIST', createdate: 'READ_ONLY_VALUE', hs_lead_status: 'INVALID_OPTION',
      hubspot_owner_id: 'INVALID_OWNER_ID', closedate: 'INVALID_DATE', firstname: 'CONTAINS_URL',
    })
    assert.deepEqual(JSON.parse(no.body.message.replace('Property values were not valid: ', '')).map((e) => e.isValid), Array(7).fill(false))
  })

  test('400 for a number with commas and a stage of no pipeline', async () => {
    const no = await refused(strict.crm.deals.basicApi.create({ properties: { dealname: 'x', amount: '1,000', dealstage: 'open' }, associations: [] }))
    assert.deepEqual(no.body.errors.map((e) => e.code), ['INVALID_INTEGER', 'INVALID_OPTION'])
    assert.match(no.body.errors[1].message, /^open is not a valid pipeline stage ID\. Valid options are: pipelineId=default/)
  })

  test('400 for more than a hundred inputs', async () => {
    const no = await refused(strict.crm.contacts.batchApi.read({ inputs: Array.from({ length: 101 }, (_, i) => ({ id: String(i) })), properties: [], propertiesWithHistory: [] }))
    assert.equal(no.body.message, 'The maximum number of inputs supported in a batch is 100. Please reduce the number of items and try again')
  })

  test('401 without a known token, with the correlation id in body and header', async () => {
    const no = await refused((await client({ accessToken: 'pat-na1-00000000-fake-unknown' })).crm.contacts.basicApi.getPage())
    assert.equal(no.code, 401)
    assert.equal(no.body.category, 'INVALID_AUTHENTICATION')
    assert.match(no.body.correlationId, uuid)
    assert.equal(no.headers['x-hubspot-correlation-id'], no.body.correlationId)
  })

  test('401 for an expired token', async () => {
    const { id, token: text } = await ask('POST', '/hubspot/tokens', { kind: 'service-key', name: 'short', scopes: ['crm.objects.contacts.read'] })
    await ask('POST', `/hubspot/tokens/${id}/expire`)
    const no = await refused((await client({ accessToken: text })).crm.contacts.basicApi.getPage())
    assert.equal(no.body.category, 'EXPIRED_AUTHENTICATION')
    assert.ok(no.body.context['expire time'])
  })

  test('403 names the scopes that are needed', async () => {
    const narrow = await client({ scopes: ['crm.objects.companies.read'] })
    const no = await refused(narrow.crm.contacts.basicApi.getPage())
    assert.equal(no.code, 403)
    assert.equal(no.body.category, 'MISSING_SCOPES')
    assert.deepEqual(no.body.errors[0].context.requiredGranularScopes, ['crm.objects.contacts.read'])
    assert.equal((await narrow.crm.companies.basicApi.getPage(1)).results.length, 1)
    assert.deepEqual((await refused(narrow.crm.companies.basicApi.archive('1'))).body.errors[0].context.requiredGranularScopes, ['crm.objects.companies.write'])
  })

  test('404 for an id that is not there, and for one that is no number', async () => {
    const missing = await refused(strict.crm.contacts.basicApi.getById('4711'))
    assert.deepEqual([missing.code, missing.body.message], [404, 'resource not found'])
    const odd = await refused(strict.crm.contacts.basicApi.getById('nobody'))
    assert.deepEqual([odd.code, odd.body.category], [404, 'OBJECT_NOT_FOUND'])
  })

  test('409 for an e-mail that another contact has, with its id', async () => {
    const made = await newContact()
    const no = await refused(strict.crm.contacts.basicApi.create({ properties: { email: made.properties.email.toUpperCase() }, associations: [] }))
    assert.equal(no.code, 409)
    assert.equal(no.body.message, `Contact already exists. Existing ID: ${made.id}`)
    assert.equal(no.body.category, 'CONFLICT')
  })

  test('409 for a property name that is taken', async () => {
    const no = await refused(strict.crm.properties.coreApi.create('contacts', { name: 'city', label: 'City', type: 'string', fieldType: 'text', groupName: 'contactinformation' }))
    assert.deepEqual([no.code, no.body.subCategory], [409, 'Properties.PROPERTY_WITH_NAME_EXISTS'])
  })

  test('415 for a body that is not JSON', async () => {
    const answer = await fetch(`${address}/crm/v3/objects/contacts`, { method: 'POST', body: 'email=a', headers: { authorization: `Bearer ${await token()}`, 'content-type': 'text/plain' } })
    assert.equal(answer.status, 415)
  })

  test('429 for call 191 within ten seconds, and the headers count down to it', async () => {
    const accessToken = await token(['crm.objects.contacts.read'])
    const get = () => fetch(`${address}/crm/v3/objects/contacts?limit=1`, { headers: { authorization: `Bearer ${accessToken}` } })
    const first = await get()
    await first.text()
    assert.equal(first.headers.get('x-hubspot-ratelimit-max'), '190')
    assert.equal(first.headers.get('x-hubspot-ratelimit-remaining'), '189')
    for (let i = 0; i < 189; i++) await (await get()).text()
    const no = await refused((await client({ accessToken })).crm.contacts.basicApi.getPage(1))
    assert.equal(no.code, 429)
    assert.equal(no.body.policyName, 'TEN_SECONDLY_ROLLING')
    assert.equal(no.body.errorType, 'RATE_LIMIT')
    assert.match(no.body.groupName, /^publicapi:private_app-api-calls-ten-secondly:\d+:\d+$/)
  })

  test('429 for a sixth search within a second', async () => {
    const answers = await Promise.allSettled(Array.from({ length: 12 }, () => strict.crm.contacts.searchApi.doSearch({ limit: 1 })))
    const no = answers.filter((a) => a.status === 'rejected').map((a) => a.reason)
    assert.ok(no.length > 0)
    assert.ok(no.every((p) => p.code === 429 && p.body.policyName === 'SECONDLY' && p.body.message === 'You have reached your secondly limit.'))
  })

  test('429 once the day is used up, until midnight', async () => {
    const tight = await client({ accessToken: await token(['crm.objects.contacts.read'], smallDay.manage), at: smallDay.address })
    for (let i = 0; i < 3; i++) await tight.crm.contacts.basicApi.getPage(1)
    const no = await refused(tight.crm.contacts.basicApi.getPage(1))
    assert.deepEqual([no.code, no.body.policyName], [429, 'DAILY'])
    await ask('POST', '/clock', { advance: '24h' }, smallDay.manage)
    assert.ok(await tight.crm.contacts.basicApi.getPage(1))
  })

  test('423 while a record is locked', async () => {
    await ask('PUT', '/faults', { rules: [{ kind: 'lock', side: 'hubspot', method: 'PATCH', times: 1 }] })
    const made = await newContact()
    assert.equal((await refused(strict.crm.contacts.basicApi.update(made.id, { properties: { city: 'Rome' } }))).code, 423)
    await ask('PUT', '/faults', {})
  })
})

describe('lists', () => {
  const filterBranch = (value) => ({
    filterBranchType: 'OR',
    filterBranchOperator: 'OR',
    filters: [],
    filterBranches: [{
      filterBranchType: 'AND',
      filterBranchOperator: 'AND',
      filterBranches: [],
      filters: [{ filterType: 'PROPERTY', property: 'city', operation: { operationType: 'STRING', operator: 'IS_EQUAL_TO', value, includeObjectsWithNoValueSet: false } }],
    }],
  })

  test('are filled by hand, read, searched and deleted', async () => {
    const { listsApi, membershipsApi } = hubspot.crm.lists
    const name = unique('Fair ')
    const { list } = await listsApi.create({ name, objectTypeId: '0-1', processingType: 'MANUAL' })
    assert.equal(list.listVersion, 1)
    const [a, b] = [await newContact(), await newContact()]
    const changed = await membershipsApi.add(list.listId, [a.id, b.id, '4711'])
    assert.deepEqual(changed.recordsIdsAdded, [a.id, b.id])
    assert.deepEqual(changed.recordIdsMissing, ['4711'])
    await membershipsApi.addAndRemove(list.listId, { recordIdsToAdd: [], recordIdsToRemove: [b.id] })
    const page = await membershipsApi.getPage(list.listId)
    assert.deepEqual(page.results.map((m) => m.recordId), [a.id])
    assert.ok(page.results[0].membershipTimestamp instanceof Date)
    assert.equal((await membershipsApi.getLists('0-1', a.id)).results[0].listId, list.listId)
    assert.equal((await listsApi.getByName(name, '0-1')).list.listId, list.listId)
    assert.equal((await listsApi.getAll([list.listId])).lists.length, 1)
    assert.equal((await listsApi.doSearch({ query: name })).lists[0].additionalProperties.hs_list_size, '1')
    const stamps = (await listsApi.doSearch({ query: name })).lists[0].additionalProperties
    assert.match(stamps.hs_last_record_added_at, /^\d{13}$/)
    assert.match(stamps.hs_last_record_removed_at, /^\d{13}$/)
    assert.equal((await listsApi.updateName(list.listId, `${name}!`)).updatedList.name, `${name}!`)
    await listsApi.remove(list.listId)
    assert.equal((await refused(listsApi.getById(list.listId))).code, 404)
    await listsApi.restore(list.listId)
    await membershipsApi.removeAll(list.listId)
    assert.deepEqual((await membershipsApi.getPageOrderedByAddedToListDate(list.listId)).results, [])
  })

  test('give their members in pages, and take many of them at once', async () => {
    const { listsApi, membershipsApi } = hubspot.crm.lists
    const { list } = await listsApi.create({ name: unique('Crowd '), objectTypeId: '0-1', processingType: 'MANUAL' })
    const inputs = Array.from({ length: 30 }, () => ({ properties: { email: `${unique('guest')}@acme.example` }, associations: [] }))
    const ids = (await hubspot.crm.contacts.batchApi.create({ inputs })).results.map((r) => r.id).sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))
    const changed = await membershipsApi.addAndRemove(list.listId, { recordIdsToAdd: ids, recordIdsToRemove: ['4711'] })
    assert.equal(changed.recordsIdsAdded.length, 30)
    const seen = []
    for (let after; ;) {
      const page = await membershipsApi.getPage(list.listId, after, undefined, 11)
      seen.push(...page.results.map((m) => m.recordId))
      if (!(after = page.paging?.next?.after)) break
    }
    assert.deepEqual(seen, ids)
    await membershipsApi.addAndRemove(list.listId, { recordIdsToAdd: [], recordIdsToRemove: ids.slice(1) })
    assert.deepEqual((await membershipsApi.getPage(list.listId)).results.map((m) => m.recordId), ids.slice(0, 1))
  })

  test('follow a filter', async () => {
    const { listsApi, membershipsApi } = hubspot.crm.lists
    const city = unique('Bern')
    const { list } = await listsApi.create({ name: city, objectTypeId: '0-1', processingType: 'DYNAMIC', filterBranch: filterBranch(city) })
    const made = await newContact({ city })
    assert.deepEqual((await membershipsApi.getPage(list.listId)).results.map((m) => m.recordId), [made.id])
    await hubspot.crm.contacts.basicApi.update(made.id, { properties: { city: '' } })
    assert.deepEqual((await membershipsApi.getPage(list.listId)).results, [])
    assert.equal((await refused(membershipsApi.add(list.listId, [made.id]))).code, 400)
  })
})

test('the token tells what it may do', async () => {
  const accessToken = await token(['crm.objects.contacts.read'])
  const hub = await client({ accessToken })
  const answer = await hub.apiRequest({ method: 'POST', path: '/oauth/v2/private-apps/get/access-token-info', body: { tokenKey: accessToken } })
  assert.deepEqual((await answer.json()).scopes, ['crm.objects.contacts.read', 'oauth'])
  const details = await (await hub.apiRequest({ path: '/account-info/v3/details' })).json()
  assert.equal(details.uiDomain, 'app.hubspot.com')
  assert.equal(typeof details.portalId, 'number')
})
