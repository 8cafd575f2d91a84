package story

import "strings"

// words are what companies, titles and deals are named with.
type words struct {
	company, business, title, department, product, street []string
}

func readWords() words {
	lines := func(s string) []string { return strings.Split(s, ",") }
	return words{
		company: strings.Fields(`Acme Aldermoor Alpenglow Amberfield Anchorage Apex Arbor Ardent Argent Arrowhead Ashgrove Aspen Atlas Aurora Avalon
			Azimuth Badger Baltic Banyan Basalt Bayside Beacon Bellwether Bergamot Birchwood Bluebird Bluestone Borealis Boulder Bramble
			Breakwater Bridgewell Brightside Bristlecone Broadleaf Cairn Calliope Candela Canyon Caravel Cardinal Cascade Castell Cedar Celadon
			Chestnut Cinder Clarion Clearwater Cobalt Compass Copperline Coral Cormorant Cornerstone Cove Cranbrook Crescent Crosswind Cypress
			Dahlia Daybreak Deepwell Delphi Dovetail Driftwood Dunmore Eastgate Ebbtide Echo Elmhurst Ember Equinox Everline Falcon
			Farpoint Fathom Fennel Fernhill Firefly Fjord Flint Foxglove Galileo Garnet Gatehouse Ginkgo Glacier Goldcrest Granite
			Greenhaven Greyfriars Halcyon Harbour Harrier Hawthorn Hazel Hearthstone Heliotrope Heron Highfield Hillcrest Hollybank Horizon Hummingbird
			Indigo Ironbridge Isthmus Ivywood Jasper Juniper Kestrel Keystone Kingfisher Kite Lakeshore Lantern Larkspur Laurel Lavender
			Lighthouse Lilac Linden Lodestar Longmeadow Lumen Lynx Magnolia Mainsail Mallard Maple Marigold Marlin Meadowlark Meridian
			Merlin Midland Mistral Monarch Moonstone Mosaic Mulberry Nautilus Nightingale Nimbus Northwind Oakmont Oasis Obsidian Olive
			Onyx Orchard Orion Osprey Otter Palisade Paragon Pathfinder Pebble Pelican Peregrine Pinnacle Pioneer Polaris Poplar
			Quarry Quartz Quillon Rainier Ravenswood Redwood Ridgeline Rivermark Robin Rosewood Rowan Saffron Sandpiper Sapphire Sequoia
			Silverbrook Skylark Solstice Sparrow Starling Stonebridge Summit Sundial Swift Sycamore Tamarack Tangent Tempest Thistle Tideline
			Timberline Topaz Trellis Tundra Umber Vanguard Verdant Vesper Vineyard Wayfarer Westbrook Whitecap Wildwood Willow Zephyr`),
		business: lines("Robotics,Logistics,Analytics,Foods,Pharma,Energy,Textiles,Software,Consulting,Partners,Media,Motors,Health,Studios,Labs," +
			"Capital,Shipping,Systems,Materials,Optics,Farms,Security,Travel,Education,Insurance,Networks,Design,Chemicals,Instruments,Publishing," +
			"Brewing,Packaging,Interiors,Aerospace,Dental,Legal,Recycling,Solar,Water,Tools"),
		title: lines("Account Executive,Accountant,Administrator,Analyst,Architect,Art Director,Brand Manager,Business Development Manager,Buyer," +
			"Chief Executive Officer,Chief Financial Officer,Chief Operating Officer,Chief Technology Officer,Consultant,Controller,Coordinator," +
			"Customer Success Manager,Data Scientist,Designer,Developer,Director of Finance,Director of Marketing,Director of Operations," +
			"Director of Sales,Engineer,Facilities Manager,Founder,General Manager,Head of Procurement,Head of People,IT Manager,Logistics Manager," +
			"Managing Director,Marketing Manager,Office Manager,Operations Manager,Owner,Partner,Plant Manager,President,Product Manager," +
			"Project Manager,Purchasing Manager,Quality Manager,Research Lead,Sales Manager,Sales Representative,Solutions Engineer," +
			"Supply Chain Manager,Team Lead,VP Engineering,VP Marketing,VP Sales,Warehouse Manager"),
		department: lines("Finance,Marketing,Operations,Sales,Engineering,Procurement,IT,Human Resources,Customer Success,Research"),
		product: lines("annual plan,onboarding,fleet licence,support contract,data migration,pilot,expansion,second site,training package," +
			"starter kit,enterprise plan,integration project,security audit,analytics add-on,mobile roll-out,warehouse module,premium support," +
			"API access,workshop series,consulting days,hardware refresh,multi-year agreement,sandbox environment,reporting suite,site licence," +
			"compliance pack,partner programme,maintenance,upgrade,proof of concept"),
		street: strings.Fields(`Park Station Mill Church Garden Forest Linden Harbour River Market Castle Bridge School Hill Meadow Orchard Victoria
			Garibaldi Schiller Goethe Hidalgo Molière Rizal Tagore Mozart Kossuth Atatürk Bolívar Kopernika Cervantes Vondel Grundtvig`),
	}
}

// longCities are real places whose names do not fit 40 characters.
func longCities() []place {
	return []place{
		{"Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", "Anglesey", "LL61 5UJ"},
		{"Dolores Hidalgo Cuna de la Independencia Nacional", "Guanajuato", "37800"},
		{"San Buenaventura (Ventura) and Ojai Valley Unincorporated Area", "California", "93001"},
		{"Taumatawhakatangihangakoauauotamateaturipukakapikimaungahoronukupokaiwhenuakitanatahu", "Hawke's Bay", "4287"},
	}
}

const longTitle = "Senior Regional Director of Strategic Partnerships, Channel Enablement and Customer Success for Northern, Central and Eastern Europe, " +
	"interim Head of Commercial Operations"

// industry is one line of business in both vendors' words; an empty word means
// that this side has none for it.
type industry struct{ hubSpot, salesforce string }

func readIndustries() (shared, hubSpotOnly []industry) {
	shared = []industry{
		{"COMPUTER_SOFTWARE", "Technology"}, {"INFORMATION_TECHNOLOGY_AND_SERVICES", "Technology"}, {"BANKING", "Banking"},
		{"BIOTECHNOLOGY", "Biotechnology"}, {"CHEMICALS", "Chemicals"}, {"CONSTRUCTION", "Construction"}, {"MANAGEMENT_CONSULTING", "Consulting"},
		{"EDUCATION_MANAGEMENT", "Education"}, {"CONSUMER_ELECTRONICS", "Electronics"}, {"OIL_ENERGY", "Energy"},
		{"MECHANICAL_OR_INDUSTRIAL_ENGINEERING", "Engineering"}, {"ENTERTAINMENT", "Entertainment"}, {"ENVIRONMENTAL_SERVICES", "Environmental"},
		{"FINANCIAL_SERVICES", "Finance"}, {"FOOD_BEVERAGES", "Food & Beverage"}, {"GOVERNMENT_ADMINISTRATION", "Government"},
		{"HOSPITAL_HEALTH_CARE", "Healthcare"}, {"HOSPITALITY", "Hospitality"}, {"INSURANCE", "Insurance"}, {"MACHINERY", "Machinery"},
		{"MEDIA_PRODUCTION", "Media"}, {"NON_PROFIT_ORGANIZATION_MANAGEMENT", "Not For Profit"}, {"RETAIL", "Retail"},
		{"TELECOMMUNICATIONS", "Telecommunications"}, {"LOGISTICS_AND_SUPPLY_CHAIN", "Transportation"}, {"UTILITIES", "Utilities"},
		{"APPAREL_FASHION", "Apparel"}, {"FARMING", "Agriculture"},
	}
	hubSpotOnly = []industry{
		{"GAMBLING_CASINOS", ""}, {"VETERINARY", ""}, {"WINE_AND_SPIRITS", ""}, {"LUXURY_GOODS_JEWELRY", ""}, {"PHOTOGRAPHY", ""},
	}
	return shared, hubSpotOnly
}
