package story

import (
	"strconv"
	"strings"
)

// country is where a company and its people are.
type country struct {
	name string
	// dial is the country calling code; trunk is dialled before national numbers.
	dial, trunk string
	// area and subscriber make fictitious numbers: # stands for a digit.
	area       []string
	subscriber string
	culture    int
	weight     int
	// company legal forms, and how streets are written: $ name, # number.
	legal  []string
	street string
	cities []place
}

type place struct{ city, state, zip string }

// readCountries parses the table. Columns of cities: city/state/zip, where # is a digit.
func readCountries() []country {
	rows := []struct {
		country
		legalForms, cityList string
	}{
		{country{name: "United States", dial: "1", area: strings.Fields("415 212 312 617 206"), subscriber: "555-01##", culture: english, weight: 34, street: "# $ Street"},
			"Inc. LLC Corp.", "San Francisco/California/941## New York/New York/100## Chicago/Illinois/606## Boston/Massachusetts/021## Seattle/Washington/981## Austin/Texas/787## Denver/Colorado/802## Winston-Salem/North Carolina/271##"},
		{country{name: "United Kingdom", dial: "44", trunk: "0", area: strings.Fields("20 113 117 121 141"), subscriber: "7946 0###", culture: english, weight: 11, street: "# $ Road"},
			"Ltd plc", "London/Greater London/EC1A 1BB Leeds/West Yorkshire/LS1 4AP Bristol/Avon/BS1 5TR Glasgow//G2 1DU Stratford-upon-Avon/Warwickshire/CV37 6QW"},
		{country{name: "Germany", dial: "49", trunk: "0", area: strings.Fields("30 89 40 221 69"), subscriber: "23125 ###", culture: german, weight: 12, street: "$straße #"},
			"GmbH AG KG", "Berlin/Berlin/101## München/Bayern/803## Hamburg/Hamburg/200## Köln/Nordrhein-Westfalen/506## Düsseldorf/Nordrhein-Westfalen/402## Tübingen/Baden-Württemberg/720##"},
		{country{name: "France", dial: "33", trunk: "0", area: strings.Fields("1 4 5"), subscriber: "99 00 ## ##", culture: french, weight: 8, street: "#, rue $"},
			"SARL SAS", "Paris/Île-de-France/750## Lyon/Auvergne-Rhône-Alpes/690## Besançon/Bourgogne-Franche-Comté/250## Saint-Étienne/Auvergne-Rhône-Alpes/420##"},
		{country{name: "Spain", dial: "34", area: strings.Fields("91 93 96"), subscriber: "555 01 ##", culture: spanish, weight: 6, street: "Calle $, #"},
			"S.L. S.A.", "Madrid/Madrid/280## Barcelona/Cataluña/080## A Coruña/Galicia/150## Logroño/La Rioja/260##"},
		{country{name: "Mexico", dial: "52", area: strings.Fields("55 33 81"), subscriber: "5550 1###", culture: spanish, weight: 3, street: "Av. $ #"},
			"S.A._de_C.V.", "Ciudad de México/CDMX/060## Guadalajara/Jalisco/441## Querétaro/Querétaro/760##"},
		{country{name: "Italy", dial: "39", area: strings.Fields("02 06 011"), subscriber: "5550 1##", culture: italian, weight: 4, street: "Via $, #"},
			"S.r.l. S.p.A.", "Milano/MI/201## Roma/RM/001## Torino/TO/101## Forlì/FC/471##"},
		{country{name: "Brazil", dial: "55", trunk: "0", area: strings.Fields("11 21 31"), subscriber: "5550-01##", culture: portuguese, weight: 3, street: "Rua $, #"},
			"Ltda. S.A.", "São Paulo/SP/01###-000 Rio de Janeiro/RJ/20###-000 Florianópolis/SC/88###-000"},
		{country{name: "Poland", dial: "48", area: strings.Fields("22 12 71"), subscriber: "555 01 ##", culture: polish, weight: 3, street: "ul. $ #"},
			"sp._z_o.o. S.A.", "Warszawa/Mazowieckie/00-### Kraków/Małopolskie/30-### Łódź/Łódzkie/90-### Wrocław/Dolnośląskie/50-###"},
		{country{name: "Netherlands", dial: "31", trunk: "0", area: strings.Fields("20 10 30"), subscriber: "555 01##", culture: dutch, weight: 3, street: "$straat #"},
			"B.V. N.V.", "Amsterdam/Noord-Holland/10## AB Rotterdam/Zuid-Holland/30## CD 's-Hertogenbosch/Noord-Brabant/52## EF"},
		{country{name: "Denmark", dial: "45", area: strings.Fields("33 86"), subscriber: "55 01 ##", culture: nordic, weight: 2, street: "$gade #"},
			"ApS A/S", "København/Hovedstaden/1### Århus/Midtjylland/8### Tønder/Syddanmark/62##"},
		{country{name: "Türkiye", dial: "90", trunk: "0", area: strings.Fields("212 312"), subscriber: "555 01 ##", culture: turkish, weight: 1, street: "$ Caddesi #"},
			"A.Ş.", "İstanbul//340## Ankara//060##"},
		{country{name: "Czechia", dial: "420", area: strings.Fields("2 5"), subscriber: "5550 01##", culture: bohemian, weight: 1, street: "$ova #"},
			"s.r.o.", "Praha/Praha/11# 00 Brno/Jihomoravský kraj/60# 00 Plzeň/Plzeňský kraj/30# 00"},
		{country{name: "India", dial: "91", trunk: "0", area: strings.Fields("22 80 11"), subscriber: "5550 01##", culture: indian, weight: 3, street: "#, $ Marg"},
			"Pvt._Ltd.", "Mumbai/Maharashtra/4000## Bengaluru/Karnataka/5600## New Delhi/Delhi/1100##"},
		{country{name: "China", dial: "86", trunk: "0", area: strings.Fields("10 21 755"), subscriber: "5550 01##", culture: chinese, weight: 1, street: "$ Lu #"},
			"Co.,_Ltd.", "上海/上海/2000## Shenzhen/Guangdong/5180## 北京/北京/1000##"},
		{country{name: "Japan", dial: "81", trunk: "0", area: strings.Fields("3 6"), subscriber: "5550-01##", culture: japanese, weight: 1, street: "$-chō #"},
			"K.K.", "東京/Tōkyō/100-00## Ōsaka/Ōsaka/530-00##"},
		{country{name: "South Korea", dial: "82", trunk: "0", area: strings.Fields("2 51"), subscriber: "555-01##", culture: korean, weight: 1, street: "# $-ro"},
			"Co.,_Ltd.", "Seoul//04### Busan//48###"},
		{country{name: "United Arab Emirates", dial: "971", trunk: "0", area: strings.Fields("4 2"), subscriber: "555 01##", culture: arabic, weight: 1, street: "# $ Street"},
			"LLC FZE", "Dubai// Abu Dhabi//"},
		{country{name: "Nigeria", dial: "234", trunk: "0", area: strings.Fields("1 9"), subscriber: "555 01##", culture: nigerian, weight: 1, street: "# $ Crescent"},
			"Ltd", "Lagos/Lagos/1012## Abuja/FCT/9002##"},
		{country{name: "Greece", dial: "30", area: strings.Fields("210 231"), subscriber: "555 01##", culture: greek, weight: 1, street: "Odos $ #"},
			"A.E.", "Αθήνα/Αττική/105 ## Thessaloniki//546 ##"},
		{country{name: "Ukraine", dial: "380", trunk: "0", area: strings.Fields("44 32"), subscriber: "555 01 ##", culture: ukrainian, weight: 1, street: "vul. $, #"},
			"LLC", "Kyiv/Kyiv/010## Львів/Львівська/790##"},
		{country{name: "Ireland", dial: "353", trunk: "0", area: strings.Fields("1 21"), subscriber: "555 01##", culture: irish, weight: 2, street: "# $ Quay"},
			"Ltd DAC", "Dublin/Leinster/D02 X285 Cork/Munster/T12 W8KP Dún Laoghaire/Leinster/A96 V5R6"},
	}
	list := make([]country, len(rows))
	for i, row := range rows {
		c := row.country
		for _, form := range strings.Fields(row.legalForms) {
			c.legal = append(c.legal, strings.ReplaceAll(form, "_", " "))
		}
		c.cities = readCities(row.cityList)
		list[i] = c
	}
	return list
}

// readCities splits "city/state/zip city/state/zip": a blank inside a name or a
// zip is told from one between cities by the two slashes that each city has.
func readCities(text string) []place {
	var list []place
	parts := strings.Split(text, "/")
	for i := 0; i+2 < len(parts); i += 2 {
		city := parts[i]
		if i > 0 {
			_, city = splitZip(parts[i])
		}
		zip, _ := splitZip(parts[i+2])
		list = append(list, place{city, parts[i+1], zip})
	}
	return list
}

// splitZip parts "941## New York" and "EC1A 1BB Leeds": zip words hold a digit,
// a # or are at most two capitals.
func splitZip(text string) (zip, city string) {
	words := strings.Split(text, " ")
	n := 0
	for n < len(words) && (strings.ContainsAny(words[n], "0123456789#") || len(words[n]) == 2 && n > 0 && words[n] == strings.ToUpper(words[n])) {
		n++
	}
	return strings.Join(words[:n], " "), strings.TrimSpace(strings.Join(words[n:], " "))
}

// phoneForms is how many ways there are to write one number.
const phoneForms = 5

// phone makes a number in one of five forms: "+49 30 23125 017",
// "(030) 23125-017", "03023125017", "030.23125.017", "0049 30 23125017 ext. 12".
func (c *country) phone(d *dice, form int) string {
	area := pick(d, c.area)
	rest := digits(d, c.subscriber)
	grouped := strings.ReplaceAll(rest, "-", " ")
	plain := strings.ReplaceAll(grouped, " ", "")
	switch form {
	case 0:
		return "+" + c.dial + " " + area + " " + grouped
	case 1:
		return "(" + c.trunk + area + ") " + strings.ReplaceAll(grouped, " ", "-")
	case 2:
		return c.trunk + area + plain
	case 3:
		return c.trunk + area + "." + strings.ReplaceAll(grouped, " ", ".")
	default:
		return "00" + c.dial + " " + area + " " + plain + " ext. " + strconv.Itoa(d.between(10, 99))
	}
}

// address writes a street with a house number as the country does.
func (c *country) address(d *dice, streets []string) string {
	named := strings.Replace(c.street, "$", pick(d, streets), 1)
	return strings.Replace(named, "#", strconv.Itoa(d.between(1, 180)), 1)
}

// digits replaces each # by a digit.
func digits(d *dice, pattern string) string {
	b := []byte(pattern)
	for i := range b {
		if b[i] == '#' {
			b[i] = byte('0' + d.below(10))
		}
	}
	return string(b)
}
