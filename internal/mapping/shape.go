package mapping

// This file says what may stand in lockstep.yaml, once. Parse checks against
// it, JSONSchema prints it.

// formKind is how a value is written.
type formKind int

const (
	formText       formKind = iota // any scalar, taken as it is written
	formEnum                       // one of options
	formExpression                 // text in the mapping language
	formDuration                   // "1m"
	formShare                      // "60%"
	formLimit                      // 500 or "20%"
	formBool                       // true or false
	formGroup                      // keys
	formList                       // items
	formTable                      // any scalar: any scalar
	formEither                     // one of either
)

type form struct {
	kind    formKind
	options []string
	keys    []key
	items   *form
	either  []form
	// example is shown where something else was written.
	example string
}

type key struct {
	name     string
	doc      string
	required bool
	form     form
}

func text(example string) form       { return form{kind: formText, example: example} }
func enum(options ...string) form    { return form{kind: formEnum, options: options, example: options[0]} }
func expression(example string) form { return form{kind: formExpression, example: example} }
func group(keys []key) form          { return form{kind: formGroup, keys: keys} }
func list(items form) form           { return form{kind: formList, items: &items} }
func either(a form, more ...form) form {
	return form{kind: formEither, either: append([]form{a}, more...)}
}

// fileKeys is the whole of lockstep.yaml.
func fileKeys() []key {
	limit := form{kind: formLimit, example: "500"}
	share := form{kind: formShare, example: "60%"}
	return []key{
		{"hubspot", "The HubSpot account, by the name given to `lockstep connect hubspot --name`.", true, text("acme")},
		{"salesforce", "The Salesforce account, by the name given to `lockstep connect salesforce --name`.", true, text("acme-production")},
		{"every", "How often `sync --watch` looks for changes; 1s to 24h. Default 1m.", false, form{kind: formDuration, example: "1m"}},
		{"brakes", "Limits beyond which a plan waits for a person: a number of records, or a share of the linked ones. Default: none.", false, group([]key{
			{"creates", "Most records that one plan may create.", false, limit},
			{"updates", "Most records that one plan may update.", false, limit},
			{"deletes", "Most records that one plan may archive.", false, limit},
		})},
		{"budget", "The share of each vendor's daily quota of calls that is ours to use. Default: HubSpot 60%, Salesforce 30%.", false, group([]key{
			{"hubspot", "Share of HubSpot's daily quota.", false, share},
			{"salesforce", "Share of Salesforce's daily quota.", false, share},
		})},
		{"wake", "What wakes `sync --watch` before its time. Hints only: values always come from a read, and without any of them nothing is missed, only later.", false, group([]key{
			{"webhooks", "Take HubSpot's webhooks, signed with the client secret of the account's app.", false, group([]key{
				{"listen", "Where this machine listens. Default 127.0.0.1:8087; put a proxy with https before it.", false, text("127.0.0.1:8087")},
				{"url", "The target URL that the app's webhooks name, to the letter: it is a part of the signature.", true, text("https://sync.example.com/hubspot")},
			})},
			{"journal", "Follow HubSpot's webhooks journal; needs an account connected by OAuth.", false, form{kind: formBool, example: "true"}},
			{"change-events", "Follow Salesforce's Change Data Capture; its objects are selected in Setup > Change Data Capture.", false, form{kind: formBool, example: "true"}},
		})},
		{"policies", "What no plan may do, whatever the rules of the objects say. Each is a condition on one write; where it holds, the policy is broken.", false, list(group(policyKeys()))},
		{"objects", "What corresponds to what. Nothing is synced that is not named here.", true, list(group(objectKeys()))},
	}
}

func objectKeys() []key {
	return []key{
		{"name", "Our name for the pair of objects, unique in the file; lower case.", true, text("people")},
		{"hubspot", "The HubSpot object, as it stands in API paths.", true, text("contacts")},
		{"salesforce", "The Salesforce object; or a list of objects with rules, the first whose rule holds takes a new record.", true, either(
			text("Contact"),
			list(either(text("Contact"), group([]key{
				{"object", "The Salesforce object.", true, text("Contact")},
				{"when", "Which HubSpot records become this object. Without it: all. known(\"companies\", domain(hubspot.email)) asks whether Salesforce has such a company.", false, expression(`hubspot.associatedcompanyid != ""`)},
			}))))},
		{"match", "How the same record is found on the other side, best way first. Several candidates are held, never guessed.", false, list(group([]key{
			{"hubspot", "The HubSpot property.", true, text("email")},
			{"salesforce", "The Salesforce field.", true, text("Email")},
			{"as", "How the two are compared. Default text: equal but for case and spaces.", false, enum("text", "email", "domain", "phone", "id")},
		}))},
		{"external-id", "A unique external id field on the Salesforce object that keeps the HubSpot record id; it makes creates safe to repeat.", false, text("HubSpot_Id__c")},
		{"create", "Where missing records may be created. Default in-salesforce.", false, enum("in-salesforce", "in-hubspot", "both", "never")},
		{"where", "Which records take part; a record outside is not written to, on either side.", false, group([]key{
			{"hubspot", "A condition on the HubSpot record.", false, expression(`hubspot.lifecyclestage != "subscriber"`)},
			{"salesforce", "A condition on the Salesforce record.", false, expression(`salesforce.IsDeleted == false`)},
		})},
		{"fields", "Which property corresponds to which field.", false, list(group(fieldKeys()))},
		{"associations", "HubSpot associations that Salesforce keeps as a reference, or as rows of an object that joins the two.", false, list(group([]key{
			{"hubspot", "The HubSpot object at the far end; a list for a reference that may point to several: the first that the record is associated with gives it.", true, either(text("companies"), list(text("companies")))},
			{"by", "The HubSpot property that holds the id of the far record, where no association does.", false, text("hs_product_id")},
			{"salesforce", "The reference field, or OpportunityContactRole or CampaignMember; or another object that joins the two, with its fields.", true, either(
				text("AccountId"),
				group([]key{
					{"junction", "The object of which each record joins two others.", true, text("Partner__c")},
					{"near", "Its reference to this object.", true, text("Contact__c")},
					{"far", "Its reference to the object at the far end.", true, text("Account__c")},
					{"label", "Its field for what HubSpot calls the label of an association.", false, text("Role__c")},
					{"primary", "Its checkbox for the primary one of several; set on a new record where HubSpot's association is primary.", false, text("Primary__c")},
				}))},
			{"on", "Only on these Salesforce objects.", false, either(text("Contact"), list(text("Contact")))},
			{"labels", "HubSpot association label: value of the label field (Role of OpportunityContactRole). Labels that are not in the table count as none.", false, form{kind: formTable}},
			{"role", "What the label field of a new record holds where HubSpot's association has none of the labels; of CampaignMember its Status.", false, text("Evaluator")},
			{"direction", "Which way changes go. Default both.", false, enum("both", "to-salesforce", "to-hubspot")},
			{"wins", "Who wins when both sides changed. Default hubspot; HubSpot keeps no time of an association, so newest is not among them.", false, enum("hubspot", "salesforce", "hold")},
		}))},
		{"owner", "by-email: the owner on both sides is the person with the same e-mail address.", false, either(enum("by-email"), group([]key{
			{"by", "email: the same as by-email.", true, enum("email")},
			{"otherwise", "Who owns a new record whose owner is nobody on its side: a Salesforce user name or an e-mail address. A record that exists keeps its owner. Without it the vendor decides, usually for the user of the credential.", false, text("hubspot.sync@acme.example")},
		}))},
		{"leaves", "What follows when a linked record leaves `where`: nothing is written any more, its counterpart is archived, or the pair is kept in step. Default stop.", false, enum("stop", "archive", "keep")},
		{"deletes", "What follows when a linked record is deleted on one side: for both, or by the side where it follows. Default ignore.", false,
			either(enum("ignore", "ask", "archive"), group([]key{
				{"in-hubspot", "What follows in HubSpot when the record is deleted in Salesforce. Default ignore.", false, enum("ignore", "ask", "archive")},
				{"in-salesforce", "What follows in Salesforce when the record is deleted in HubSpot. Default ignore.", false, enum("ignore", "ask", "archive")},
			}))},
	}
}

func fieldKeys() []key {
	return []key{
		{"hubspot", "The HubSpot property.", false, text("phone")},
		{"salesforce", "The Salesforce field.", false, text("Phone")},
		{"from", "An expression that gives the value; then name only the side that it is written to.", false, expression(`hubspot.country == "US" ? "AMER" : "EMEA"`)},
		{"direction", "Which way values go. Default both.", false, enum("both", "to-salesforce", "to-hubspot")},
		{"times", "HubSpot's number times this is Salesforce's; a power of ten: 100 for percents that HubSpot holds as 0.75, 0.001 for milliseconds to seconds.", false, text("100")},
		{"wins", "Who wins when both sides changed. Default newest; the unless-blank forms never let a blank overwrite a value.", false,
			enum("newest", "hubspot", "salesforce", "hold", "hubspot-unless-blank", "salesforce-unless-blank")},
		{"values", "HubSpot value: Salesforce value. The first of several HubSpot values with one Salesforce value is the way back.", false, form{kind: formTable}},
		{"unmapped", "What to do with a value that the other side does not take: hold the record, skip this field, or {use: another value}. Default hold.", false,
			either(enum("hold", "skip"), group([]key{{"use", "The value to write instead, as the receiving side stores it.", true, text("Other")}}))},
		{"blank", "Written to Salesforce where HubSpot holds nothing; it never flows back.", false, text("Unknown")},
		{"too-long", "What to do with text longer than the other side's field. Default hold.", false, enum("hold", "skip", "cut")},
		{"on", "Only on these Salesforce objects.", false, either(text("Contact"), list(text("Contact")))},
	}
}
