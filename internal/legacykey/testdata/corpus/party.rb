require 'httparty'
require 'net/http'

HAPIKEY = ENV['HAPIKEY']

contacts = HTTParty.get('https://api.hubapi.com/crm/v3/objects/contacts', query: { hapikey: HAPIKEY, limit: 10 })
company = HTTParty.get("https://api.hubapi.com/crm/v3/objects/companies/1?hapikey=#{HAPIKEY}")

uri = URI("https://api.hubapi.com/crm/v3/objects/deals?limit=1&hapikey=#{HAPIKEY}")
request = Net::HTTP::Get.new(uri)
answer = Net::HTTP.start(uri.host, uri.port, use_ssl: true) { |http| http.request(request) }
puts contacts.code, company.code, answer.code
