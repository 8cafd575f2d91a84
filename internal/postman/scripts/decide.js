// What to send: for each record of the page an update of the one Salesforce
// record that is the same, or a new record, or nothing and the reason why.
const held = (v) => !(v === null || v === undefined || v === '')

const decide = (rules, page, answers, policy) => {
  const found = {}, far = {}
  for (const part of answers) {
    const rows = part.body.records
    if (!part.referenceId.startsWith('far_')) { found[part.referenceId] = rows; continue }
    const a = rules.associations.find((x) => x.objects.some((object) => part.referenceId === `far_${x.relation}_${object}`))
    for (const row of rows) far[`${a.relation} ${row[a.externalId]}`] = row.Id
  }
  const work = { create: {}, update: [], unchanged: 0, left: [], taken: [] }
  const claimed = new Set(page.claimed || []), rivals = {}
  for (const one of page.records) {
    one.same = candidates(rules, one, found, far)
    if (one.same.length === 1) rivals[one.same[0].row.Id] = (rivals[one.same[0].row.Id] || 0) + 1
  }
  for (const one of page.records) {
    try {
      if (one.same.length === 1 && one.same[0].rule >= 0 && rivals[one.same[0].row.Id] > 1) left(`${one.same[0].t.object} ${one.same[0].row.Id} matches other HubSpot records, too`)
      settle(rules, one, far, policy, claimed, work)
    } catch (problem) {
      if (!(problem instanceof Left)) throw problem
      work.left.push({ id: one.id, why: problem.message })
    }
  }
  return work
}

const candidates = (rules, one, found, far) => {
  const out = []
  for (const t of rules.targets) {
    for (const row of found[t.object] || []) {
      if (row.IsConverted === true) continue
      if (rules.externalId && String(row[rules.externalId] || '').trim() === one.id) { out.push({ t, row, rule: -1 }); continue }
      const theirs = rules.match.map((rule) => keyOf(rule, row[rule.salesforce]))
      const rule = theirs.findIndex((key, i) => key !== '' && key === one.keys[i])
      if (rule < 0) continue
      // A better rule that tells them apart, or another account, makes them two things.
      if (theirs.some((key, i) => i < rule && key !== '' && one.keys[i] !== '' && key !== one.keys[i])) continue
      if (rules.match[rule].as === 'text' && rules.associations.some((a) => {
        const ours = far[`${a.relation} ${one.far[a.relation]}`]
        return t.references.includes(a.to) && one.far[a.relation] && held(row[a.to]) && ours && ours !== row[a.to]
      })) continue
      out.push({ t, row, rule })
    }
  }
  const best = Math.min(...out.map((c) => c.rule))
  return out.filter((c) => c.rule === best)
}

const settle = (rules, one, far, policy, claimed, work) => {
  const same = one.same
  if (same.length > 1) left(`${same.length} Salesforce records match it: ${same.map((c) => c.row.Id).join(', ')}`)
  if (same.length === 0) return make(rules, one, far, policy, work)
  const { t, row } = same[0]
  const owner = rules.externalId ? String(row[rules.externalId] || '').trim() : ''
  if (owner !== '' && owner !== one.id) left(`${t.object} ${row.Id} belongs to HubSpot record ${owner} already`)
  if (claimed.has(row.Id)) left(`${t.object} ${row.Id} was matched by a HubSpot record of an earlier page`)
  if (rules.keepFound && !rules.keepFound(row)) { work.excluded = (work.excluded || 0) + 1; return }
  claimed.add(row.Id)
  work.taken.push(row.Id)
  const wanted = valuesFor(rules, t, one, row, far)
  const record = { attributes: { type: t.object }, id: row.Id }
  for (const f of t.fields) {
    const v = wanted[f.to]
    if (!f.update || v === undefined || v === null) continue
    const fills = f.as !== 'bool' && !held(row[f.to])
    if (fills ? policy.existing !== 'leave' : policy.existing === 'overwrite' && !f.keeps && String(row[f.to]) !== String(v)) record[f.to] = v
  }
  for (const a of rules.associations) if (wanted[a.to] !== undefined && !held(row[a.to]) && policy.existing !== 'leave' && a.update.includes(t.object)) record[a.to] = wanted[a.to]
  if (rules.externalId && owner === '' && t.stamps) record[rules.externalId] = one.id
  if (Object.keys(record).length === 2) { work.unchanged++; return }
  work.update.push({ one: one.id, record })
}

const valuesFor = (rules, t, one, row, far) => {
  if (one.cannot && one.cannot[t.object]) left(one.cannot[t.object])
  const values = { ...one.values[t.object] }
  for (const f of t.fields) if (f.compute) { const v = convert(f, written(f.compute(one.properties, row))); if (v !== undefined) values[f.to] = v }
  for (const a of rules.associations) {
    const id = far[`${a.relation} ${one.far[a.relation]}`]
    if (id && t.references.includes(a.to)) values[a.to] = id
  }
  return values
}

const make = (rules, one, far, policy, work) => {
  const t = rules.targets.find((x) => x.object === one.target)
  if (!t) { work.excluded = (work.excluded || 0) + 1; return }
  if (!rules.create) left('it is not in Salesforce, and the mapping creates none there')
  if (!rules.externalId && policy.createWithoutId !== 'yes') left('it is not in Salesforce, and no external id keeps a repeat from creating it twice; set create_without_external_id to yes if that is no danger')
  const wanted = valuesFor(rules, t, one, {}, far)
  const record = { attributes: { type: t.object } }
  for (const f of t.fields) if (f.create && held(wanted[f.to])) record[f.to] = wanted[f.to]
  for (const a of rules.associations) if (wanted[a.to] !== undefined) record[a.to] = wanted[a.to]
  for (const name of t.required) if (!held(record[name])) left(`a new ${t.object} needs ${name}, and HubSpot has no value for it`)
  if (rules.externalId) record[rules.externalId] = one.id
  work.create[t.object] = work.create[t.object] || []
  work.create[t.object].push({ one: one.id, record })
}

// One composite call for the whole page, and who stands where in it.
const envelope = (rules, work, version) => {
  const base = `/services/data/v${version}/composite/sobjects`, headers = { 'Sforce-Auto-Assign': 'FALSE' }
  const request = { allOrNone: false, collateSubrequests: false, compositeRequest: [] }, order = {}
  const add = (reference, method, url, list) => {
    order[reference] = list.map((x) => x.one)
    request.compositeRequest.push({ method, referenceId: reference, url, httpHeaders: headers, body: { allOrNone: false, records: list.map((x) => x.record) } })
  }
  for (const object of Object.keys(work.create)) {
    if (rules.externalId) add(`create_${object}`, 'PATCH', `${base}/${object}/${rules.externalId}`, work.create[object])
    else add(`create_${object}`, 'POST', base, work.create[object])
  }
  // Salesforce takes at most ten runs of equal type in one collection.
  const byType = rules.targets.map((t) => work.update.filter((x) => x.record.attributes.type === t.object))
  if (work.update.length) add('update', 'PATCH', base, [].concat(...byType))
  return { request, order }
}
